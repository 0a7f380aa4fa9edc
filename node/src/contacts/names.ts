// Names: a contact's is this user's choice and unique; a stranger's is its own claim, shown behind a tilde and with
// the beginning of its account id, so that it can never be taken for a contact's.
import { type AccountId, NAME_BYTES_MAX } from '@kith/protocols'
import { UserError } from '../api.ts'

/** Characters of an account id that tell strangers of one name apart: 40 bits, too many to look for by accident. */
export const SHORT_ID_CHARACTERS = 8

/** Nothing that a terminal obeys, that turns the writing direction, or that nobody sees. Joiners stay: emoji and
 * many scripts need them. */
const UNSHOWN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{Cf}|\s/gu

export const shortId = (account: AccountId): string => account.slice(0, SHORT_ID_CHARACTERS)

/** A claimed name without what must not be shown: one line, at most 64 bytes, no tilde in front. May be empty. */
export function cleanName(claimed: string): string {
  const shown = claimed
    .replace(/\s+/gu, ' ')
    .replace(UNSHOWN, '')
    .replace(/^[~\s]+/u, '')
    .trim()
  let clean = ''
  let bytes = 0
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(shown)) {
    bytes += new TextEncoder().encode(segment).byteLength
    if (bytes > NAME_BYTES_MAX) break
    clean += segment
  }
  return isVisible(clean) ? clean.trim() : ''
}

const isVisible = (name: string): boolean => name.replace(INVISIBLE, '') !== ''

/** `~name-k3f9x2ab`; `~k3f9x2ab` when it gave no name that can be shown. */
export function strangerName(account: AccountId, claimed: string): string {
  const name = cleanName(claimed)
  return name === '' ? `~${shortId(account)}` : `~${name}-${shortId(account)}`
}

/** What a stranger called itself, from the name that it is shown under. */
export function claimedName({ account, name }: { account: AccountId; name: string }): string {
  const suffix = `-${shortId(account)}`
  return name.endsWith(suffix) ? name.slice(1, -suffix.length) : ''
}

/** Equal for names that look alike but for case, width, accents composed or not, and what nobody sees. */
const skeletonOf = (name: string): string =>
  name.normalize('NFKC').replace(INVISIBLE, '').toLowerCase()

interface Named {
  readonly account: AccountId
  readonly name: string
}

/** Throws UserError `bad-name` for a name that no contact can have; `hint` says how to give another. */
export function requireGoodName(name: string, hint: string): void {
  const bytes = new TextEncoder().encode(name).byteLength
  const isGood =
    isVisible(name) && bytes <= NAME_BYTES_MAX && !name.startsWith('~') && !name.match(UNSHOWN)
  if (isGood) return
  throw new UserError(
    'bad-name',
    `A contact needs a name of 1 to ${NAME_BYTES_MAX} bytes that can be seen and does not begin with "~".`,
    { hint }
  )
}

interface Wanted extends Named {
  /** By this user, as against a name that others suggested. */
  readonly isChosen: boolean
}

/** A contact that could be taken for this one: of the same name, or of one that looks alike unless it was chosen. */
function rivalOf(wanted: Wanted, contacts: readonly Named[]): Named | undefined {
  const skeleton = skeletonOf(wanted.name)
  return contacts.find(
    ({ account, name }) =>
      account !== wanted.account &&
      (name === wanted.name || (!wanted.isChosen && skeletonOf(name) === skeleton))
  )
}

/** Whether a name that others suggested can be a contact's. */
export const isFreeName = (wanted: Named, contacts: readonly Named[]): boolean =>
  isVisible(wanted.name) && rivalOf({ ...wanted, isChosen: false }, contacts) === undefined

/** Throws UserError `name-taken`: two contacts of one name could be taken for each other. */
export function requireFreeName(wanted: Wanted, contacts: readonly Named[], hint: string): void {
  const rival = rivalOf(wanted, contacts)
  if (rival === undefined) return
  throw new UserError('name-taken', `You already have a contact called "${rival.name}".`, { hint })
}
