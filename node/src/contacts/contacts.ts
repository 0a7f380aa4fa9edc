// Contacts: accounts this user has given a name, and strangers who wrote first. Every change is one after the other,
// durable before it counts.
import { type AccountId, direct } from '@kith/protocols'
import { type ContactView, UserError } from '../api.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u32 } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'
import {
  type Contact,
  type ContactRequest,
  isSameRoot,
  isSameSecret,
  newRequest,
  overflowOf,
  type RootKeys,
  type Standing,
  standingOf,
  standingRequest,
  strangerOf
} from './contact.ts'
import { readContactLink } from './contact-link.ts'
import type { Directory } from './directory.ts'
import { findAny, findContact, requireRequest } from './lookup.ts'
import {
  claimedName,
  cleanName,
  isFreeName,
  requireFreeName,
  requireGoodName,
  shortId,
  strangerName
} from './names.ts'

export type { Contact } from './contact.ts'

const PREFIX = 'contacts/contact'

/** Enough for every person one knows. Beyond it, strangers are not kept: their requests end with the process. */
const CONTACTS_MAX = 100_000
/** What a relay takes in one setting (protocols/src/box). */
const BLOCKED_MAX = 1_000

const ADD_HINT = 'Choose a name: kith contact add <link> --name <name>'
const ACCEPT_HINT = 'Choose a name: kith contact accept <who> --name <name>'

export interface ContactsComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly clock: Clock
  readonly directory: Pick<Directory, 'state'>
  readonly self: AccountId
}

export class Contacts {
  readonly #components: ContactsComponents
  readonly #byAccount = new Map<AccountId, Contact>()
  #last = 0
  #changing: Promise<unknown> = Promise.resolve()

  constructor(components: ContactsComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    for await (const [, value] of this.#components.store.scan(rangeOf(PREFIX))) {
      const record = decodeRecord<Contact>(value)
      // Records of older versions name no devices.
      const contact = { ...record, devices: record.devices ?? [] }
      this.#byAccount.set(contact.account, contact)
      this.#last = Math.max(this.#last, contact.local)
    }
  }

  /** Everybody known here, or those of one standing, by name. */
  list(standing?: Standing): readonly Contact[] {
    const all = [...this.#byAccount.values()]
    const wanted = standing === undefined ? all : all.filter((one) => standingOf(one) === standing)
    return wanted.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(account: AccountId): Contact | undefined {
    return this.#byAccount.get(account)
  }

  /** Whether what this account says is shown: a contact's, not a stranger's. */
  isContact(account: AccountId): boolean {
    const contact = this.#byAccount.get(account)
    return contact !== undefined && standingOf(contact) === 'contact'
  }

  /** A contact, by name or account id; see `findContact` for failures. */
  find(who: string): Contact {
    return findContact(this.list(), who, this.#components.self)
  }

  /** Anybody known here; see `findAny` for failures. */
  findAny(who: string): Contact {
    return findAny(this.list(), who, this.#components.self)
  }

  /** Adds from a `kith:contact/…` link, which also accepts an open request; or updates relays and name. */
  async add({ link, name }: { link: string; name?: string | undefined }): Promise<Contact> {
    const parsed = readContactLink(link)
    const { account, relays } = parsed
    if (account === this.#components.self) {
      throw new UserError('own-link', 'This is your own contact link.', {
        hint: 'Give it to others; ask them for theirs: kith account show'
      })
    }
    return await this.#change(account, (known) => {
      if (known?.blocked === true) findContact([known], account, this.#components.self)
      const chosen = name ?? cleanName(parsed.name)
      this.#requireName({ account, name: chosen, isChosen: name !== undefined }, ADD_HINT)
      const contact = known ?? strangerOf(account, this.#last + 1)
      const devices = parsed.devices ?? contact.devices
      return { ...contact, name: chosen, relays, devices, confirmed: true }
    })
  }

  /** Somebody founded a conversation with us: a stranger until it is accepted or added. */
  meet(account: AccountId): Promise<Contact> {
    return this.#change(account, (known) => known ?? this.#asking(account))
  }

  /** What an account says of itself, authenticated by its device. */
  introduce(introduction: {
    account: AccountId
    name: string
    deliverySecret: Uint8Array
  }): Promise<Contact> {
    const { account, deliverySecret } = introduction
    return this.#change(account, (before) => {
      const known = before ?? this.#asking(account)
      const name = known.confirmed ? known.name : strangerName(account, introduction.name)
      const isKnown = known.name === name && isSameSecret(known, deliverySecret)
      return isKnown ? known : { ...known, name, deliverySecret }
    })
  }

  /** A stranger wrote. Resolves to whether the user has yet to be told of its request: true once. */
  async announce(account: AccountId): Promise<boolean> {
    let isNew = false
    await this.#change(account, (before) => {
      const known = before ?? this.#asking(account)
      const request = standingRequest(known) ?? this.#request()
      isNew = standingOf(known) !== 'contact' && !known.blocked && !request.isAnnounced
      if (!isNew) return known
      return { ...known, request: { ...request, state: 'open', isAnnounced: true } }
    })
    return isNew
  }

  /** Makes a stranger a contact. Throws UserError: `no-request`, `name-taken`, `bad-name`. */
  accept(account: AccountId, name?: string): Promise<Contact> {
    return this.#change(account, (known) => {
      const stranger = this.#known(known)
      requireRequest(stranger, ['request', 'ignored'])
      const chosen = name ?? claimedName(stranger)
      this.#requireName({ account, name: chosen, isChosen: name !== undefined }, ACCEPT_HINT)
      return { ...stranger, name: chosen, confirmed: true }
    })
  }

  /** Another device of this account talks to it: it is a contact here too, under a name that is free. */
  adopt(account: AccountId): Promise<Contact> {
    return this.#change(account, (before) => {
      const known = before ?? strangerOf(account, this.#last + 1)
      if (known.confirmed || known.blocked) return known
      const claimed = claimedName(known)
      const names = [claimed, `${claimed} ${shortId(account)}`.trim()]
      const name = names.find((one) => isFreeName({ account, name: one }, this.#named()))
      return { ...known, name: name ?? shortId(account), confirmed: true }
    })
  }

  /** Takes a request off the list; its sender is told nothing, and cannot ask again by writing more. */
  ignore(account: AccountId): Promise<Contact> {
    return this.#change(account, (known) => {
      const stranger = this.#known(known)
      requireRequest(stranger, ['request'])
      const request = stranger.request ?? this.#request()
      return { ...stranger, request: { ...request, state: 'ignored', isAnnounced: true } }
    })
  }

  /** Throws UserError `too-many-blocked` beyond what a relay keeps. Blocking twice changes nothing. */
  block(account: AccountId): Promise<Contact> {
    return this.#change(account, (known) => {
      const contact = this.#known(known)
      if (contact.blocked !== true && this.list('blocked').length >= BLOCKED_MAX) {
        throw new UserError(
          'too-many-blocked',
          `${BLOCKED_MAX} accounts are blocked, which is as many as a relay keeps.`,
          { hint: 'kith contact unblock <who>' }
        )
      }
      return { ...contact, blocked: true }
    })
  }

  /** A contact is one again; a stranger has to write again. Throws UserError `not-blocked`. */
  unblock(account: AccountId): Promise<Contact> {
    return this.#change(account, (known) => {
      const { blocked, ...contact } = this.#known(known)
      if (blocked !== true) {
        throw new UserError('not-blocked', `"${contact.name}" is not blocked.`, {
          hint: 'kith contact list --blocked'
        })
      }
      if (contact.confirmed) return contact
      return { ...contact, request: { ...this.#request(), state: 'dropped' } }
    })
  }

  /** The user has compared the safety number over these keys. */
  verify(account: AccountId, verified: RootKeys): Promise<Contact> {
    return this.#change(account, (known) => ({ ...this.#known(known), verified }))
  }

  /** The keys that a safety number is made of, as far as the account logs are known. */
  rootKeys(account: AccountId): RootKeys | undefined {
    const { directory, self } = this.#components
    const [own, theirs] = [directory.state(self), directory.state(account)]
    if (own === undefined || theirs === undefined) return undefined
    return { own: own.recoveryKey, theirs: theirs.recoveryKey }
  }

  view({ account, name, relays, blocked, verified }: Contact): ContactView {
    const { self, primitives } = this.#components
    return {
      account,
      name,
      conversation: direct.directConversationId(self, account, (...parts) =>
        primitives.sha256(...parts)
      ),
      homes: relays.map(({ relay }) => relay),
      isVerified: verified !== undefined && isSameRoot(verified, this.rootKeys(account)),
      isBlocked: blocked === true
    }
  }

  #asking(account: AccountId): Contact {
    return { ...strangerOf(account, this.#last + 1), request: this.#request() }
  }

  #request(): ContactRequest {
    return newRequest(this.#byAccount.values(), this.#components.clock.now())
  }

  #known(contact: Contact | undefined): Contact {
    if (contact === undefined) throw new UserError('unknown-contact', 'This account is not known.')
    return contact
  }

  #named(): readonly Contact[] {
    return [...this.#byAccount.values()].filter(({ confirmed }) => confirmed)
  }

  #requireName(
    wanted: { account: AccountId; name: string; isChosen: boolean },
    hint: string
  ): void {
    requireGoodName(wanted.name, hint)
    requireFreeName(wanted, this.#named(), hint)
  }

  /** One change after the other; what is decided rests on everything before it. */
  #change(account: AccountId, decide: (known: Contact | undefined) => Contact): Promise<Contact> {
    const changed = this.#changing.then(async () => {
      const before = this.#byAccount.get(account)
      const after = decide(before)
      const isFull = before === undefined && this.#byAccount.size >= CONTACTS_MAX
      if (after === before || (isFull && !after.confirmed)) return after
      await this.#put([after, ...overflowOf(this.#byAccount.values(), after)])
      return after
    })
    this.#changing = changed.catch(() => {
      // Its caller is told; the next change stands on its own.
    })
    return changed
  }

  async #put(contacts: readonly Contact[]): Promise<void> {
    await this.#components.store.commit(
      contacts.map((contact) => ({
        type: 'put',
        key: storeKey(PREFIX, u32(contact.local)),
        value: encodeRecord(contact)
      }))
    )
    for (const contact of contacts) {
      this.#byAccount.set(contact.account, contact)
      this.#last = Math.max(this.#last, contact.local)
    }
  }
}
