// Contacts: accounts this user has given a name, and strangers who wrote first. Every change is one after the other,
// durable before it counts.
import { type AccountId, direct } from '@kith/protocols'
import { type ContactView, type NodeEvent, type RequestView, UserError } from '../api.ts'
import type { EventLog } from '../events/index.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Store } from '../kernel/store/store.ts'
import { blocked, unblocked } from './blocking.ts'
import {
  type Contact,
  type ContactRequest,
  confirmed,
  isSameRoot,
  isSameSecret,
  newRequest,
  type RootKeys,
  type Standing,
  standingOf,
  standingRequest,
  strangerOf
} from './contact.ts'
import { readContactLink } from './contact-link.ts'
import { ContactRecords } from './contact-records.ts'
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

const ADD_HINT = 'Choose a name: kith contact add <link> --name <name>'
const ACCEPT_HINT = 'Choose a name: kith contact accept <who> --name <name>'

export interface ContactsComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly clock: Clock
  readonly events: Pick<EventLog, 'enter'>
  readonly directory: Pick<Directory, 'state'>
  readonly self: AccountId
}

export class Contacts {
  readonly #components: ContactsComponents
  readonly #records: ContactRecords

  constructor(components: ContactsComponents) {
    this.#components = components
    this.#records = new ContactRecords(components)
  }

  load(): Promise<void> {
    return this.#records.load()
  }

  /** Everybody known here, or those of one standing, by name. */
  list(standing?: Standing): readonly Contact[] {
    const all = [...this.#records.byAccount.values()]
    const wanted = standing === undefined ? all : all.filter((one) => standingOf(one) === standing)
    return wanted.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(account: AccountId): Contact | undefined {
    return this.#records.byAccount.get(account)
  }

  /** Whether what this account says is shown: a contact's, not a stranger's. */
  isContact(account: AccountId): boolean {
    const contact = this.#records.byAccount.get(account)
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
      const contact = known ?? strangerOf(account, this.#records.next)
      const devices = parsed.devices ?? contact.devices
      return { ...confirmed(contact), name: chosen, relays, devices }
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

  /** A stranger wrote. Resolves to the request if the user has yet to be told of it, once. */
  async announce(
    account: AccountId,
    first: { readonly text: string | undefined; readonly atMs: number }
  ): Promise<RequestView | undefined> {
    let isNew = false
    let view: RequestView | undefined
    await this.#change(
      account,
      (before) => {
        const known = before ?? this.#asking(account)
        const request = standingRequest(known) ?? this.#request()
        isNew = standingOf(known) !== 'contact' && !known.blocked && !request.isAnnounced
        if (!isNew) return known
        return { ...known, request: { ...request, state: 'open', isAnnounced: true } }
      },
      (after) => {
        if (!isNew || standingOf(after) !== 'request') return []
        const { name, request } = after
        view = { account, name, text: first.text, atMs: request?.atMs ?? first.atMs }
        return [{ type: 'request', request: view }]
      }
    )
    return view
  }

  /** What it wrote before it was accepted has been told by these events. */
  async shown(account: AccountId, events: readonly NodeEvent[]): Promise<void> {
    const tell = () => events
    await this.#change(account, (before) => ({ ...this.#known(before), isUnshown: false }), tell)
  }

  /** Makes a stranger a contact. Throws UserError: `no-request`, `name-taken`, `bad-name`. */
  accept(account: AccountId, name?: string): Promise<Contact> {
    return this.#change(account, (known) => {
      const stranger = this.#known(known)
      requireRequest(stranger, ['request', 'ignored'])
      const chosen = name ?? claimedName(stranger)
      this.#requireName({ account, name: chosen, isChosen: name !== undefined }, ACCEPT_HINT)
      return { ...confirmed(stranger), name: chosen }
    })
  }

  /** Another device of this account talks to it: it is a contact here too, under a name that is free. */
  adopt(account: AccountId): Promise<Contact> {
    return this.#change(account, (before) => {
      const known = before ?? strangerOf(account, this.#records.next)
      if (known.confirmed || known.blocked) return known
      const claimed = claimedName(known)
      const names = [claimed, `${claimed} ${shortId(account)}`.trim()]
      const name = names.find((one) => isFreeName({ account, name: one }, this.#named()))
      return { ...confirmed(known), name: name ?? shortId(account) }
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
    return this.#change(account, (known) =>
      blocked(this.#known(known), this.list('blocked').length)
    )
  }

  /** A contact is one again; a stranger has to write again. Throws UserError `not-blocked`. */
  unblock(account: AccountId): Promise<Contact> {
    return this.#change(account, (known) => unblocked(this.#known(known), this.#request()))
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
    return { ...strangerOf(account, this.#records.next), request: this.#request() }
  }

  #request(): ContactRequest {
    return newRequest(this.#records.byAccount.values(), this.#components.clock.now())
  }

  #known(contact: Contact | undefined): Contact {
    if (contact === undefined) throw new UserError('unknown-contact', 'This account is not known.')
    return contact
  }

  #named(): readonly Contact[] {
    return [...this.#records.byAccount.values()].filter(({ confirmed }) => confirmed)
  }

  #requireName(
    wanted: { account: AccountId; name: string; isChosen: boolean },
    hint: string
  ): void {
    requireGoodName(wanted.name, hint)
    requireFreeName(wanted, this.#named(), hint)
  }

  #change(
    account: AccountId,
    decide: (known: Contact | undefined) => Contact,
    tell: (after: Contact) => readonly NodeEvent[] = () => []
  ): Promise<Contact> {
    return this.#records.change(account, {
      decide,
      tell: (before, after) => [...this.#differences(before, after), ...tell(after)]
    })
  }

  /** What others see of a contact, when it has changed. */
  #differences(before: Contact | undefined, after: Contact): readonly NodeEvent[] {
    if (standingOf(after) !== 'contact') return []
    const contact = this.view(after)
    const wasSame =
      before !== undefined &&
      standingOf(before) === 'contact' &&
      JSON.stringify(this.view(before)) === JSON.stringify(contact)
    return wasSame ? [] : [{ type: 'contact', contact }]
  }
}
