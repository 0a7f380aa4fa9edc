// Who is meant: by name, by account id, or by the beginning of one. Each failure says what there is instead.
import type { AccountId } from '@kith/protocols'
import { UserError } from '../api.ts'
import { type Contact, type Standing, standingOf } from './contact.ts'
import { SHORT_ID_CHARACTERS, shortId } from './names.ts'

/** Quoted names in messages and hints stay short. */
const QUOTED_CHARACTERS_MAX = 80

const quote = (text: string): string => `"${text.slice(0, QUOTED_CHARACTERS_MAX)}"`

/**
 * The one account known here that `who` names. Throws UserError: `own-account`, `unknown-contact`, or
 * `ambiguous-contact` when the beginning of an id fits several.
 */
export function findAny(known: readonly Contact[], who: string, self: AccountId): Contact {
  if (who === self) throw new UserError('own-account', 'This is your own account.')
  const exact = known.find(({ account, name }) => name === who || account === who)
  if (exact !== undefined) return exact
  const begins =
    who.length < SHORT_ID_CHARACTERS ? [] : known.filter(({ account }) => account.startsWith(who))
  const [found, another] = begins
  if (another !== undefined) {
    throw new UserError('ambiguous-contact', `Several accounts begin with ${quote(who)}.`, {
      hint: 'Give the whole account id.'
    })
  }
  if (found !== undefined) return found
  throw new UserError('unknown-contact', `There is no contact called ${quote(who)}.`, {
    hint: 'kith contact list shows your contacts; kith contact add <link> adds one.'
  })
}

/** A contact to write to and to read from. Throws UserError, also `not-accepted` and `blocked`. */
export function findContact(known: readonly Contact[], who: string, self: AccountId): Contact {
  const found = findAny(known, who, self)
  const standing = standingOf(found)
  if (standing === 'contact') return found
  if (standing === 'blocked') {
    throw new UserError('blocked', `You have blocked ${quote(found.name)}.`, {
      hint: `kith contact unblock ${shortId(found.account)}`
    })
  }
  throw new UserError('not-accepted', `${quote(found.name)} is not a contact of yours.`, {
    hint: `kith contact accept ${shortId(found.account)}`
  })
}

const INSTEAD: Readonly<Record<Standing, string>> = {
  contact: 'is a contact already',
  request: 'has asked to talk to you',
  ignored: 'has no open request',
  blocked: 'is blocked'
}

/** Throws UserError `no-request` unless the account may be accepted or ignored now. */
export function requireRequest(contact: Contact, allowed: readonly Standing[]): void {
  const standing = standingOf(contact)
  if (allowed.includes(standing)) return
  throw new UserError('no-request', `${quote(contact.name)} ${INSTEAD[standing]}.`, {
    hint:
      standing === 'blocked'
        ? `kith contact unblock ${shortId(contact.account)}`
        : 'kith contact requests'
  })
}
