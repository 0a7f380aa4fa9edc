// Contacts: accounts this user has given a name, and strangers who wrote first. Names are this user's own; what
// a stranger calls itself is shown behind a tilde and names nobody.
import {
  type AccountId,
  type DeviceAddress,
  direct,
  ProtocolError,
  parseContactLink,
  type RelayAddress
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { type ContactView, UserError } from '../api.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u32 } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'

const PREFIX = 'contacts/contact'

/** Enough for every person one knows; a store full of strangers is a store full of spam. */
const CONTACTS_MAX = 100_000

export interface Contact {
  readonly local: number
  readonly account: AccountId
  readonly name: string
  readonly relays: readonly RelayAddress[]
  /** Where devices can be reached directly, as the link said. */
  readonly devices: readonly DeviceAddress[]
  /** Told by the contact inside the seal; makes its homes take us for a contact. */
  readonly deliverySecret: Uint8Array | undefined
  /** Added by this user, as against somebody who wrote first. */
  readonly confirmed: boolean
}

export interface ContactsComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly self: AccountId
}

export class Contacts {
  readonly #components: ContactsComponents
  readonly #byAccount = new Map<AccountId, Contact>()
  #last = 0

  constructor(components: ContactsComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    for await (const [, value] of this.#components.store.scan(rangeOf(PREFIX))) {
      const contact = decodeRecord<Contact>(value)
      this.#byAccount.set(contact.account, contact)
      this.#last = Math.max(this.#last, contact.local)
    }
  }

  list(): readonly Contact[] {
    return [...this.#byAccount.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(account: AccountId): Contact | undefined {
    return this.#byAccount.get(account)
  }

  /** Finds by name or account id; throws UserError `unknown-contact` with what there is to choose from. */
  find(who: string): Contact {
    const contact =
      this.list().find(({ name }) => name === who) ?? this.#byAccount.get(who as AccountId)
    if (contact !== undefined) return contact
    throw new UserError('unknown-contact', `There is no contact called "${who}".`, {
      hint: 'kith contact list shows your contacts; kith contact add <link> adds one.'
    })
  }

  /** Adds from a `kith:contact/…` link, or updates relays and name of one that is there. */
  async add({ link, name }: { link: string; name?: string | undefined }): Promise<Contact> {
    const parsed = parseLink(link)
    if (parsed.account === this.#components.self) {
      throw new UserError('own-link', 'This is your own contact link.', {
        hint: 'Give it to others; ask them for theirs: kith account show'
      })
    }
    const chosen = name ?? parsed.name
    requireFree(chosen, this.list(), parsed.account)
    const known = this.#byAccount.get(parsed.account)
    return await this.#put({
      local: known?.local ?? this.#next(),
      account: parsed.account,
      name: chosen,
      relays: parsed.relays,
      devices: parsed.devices ?? known?.devices ?? [],
      deliverySecret: known?.deliverySecret,
      confirmed: true
    })
  }

  /** Somebody founded a conversation with us: kept under its id until it says its name or is added. */
  async meet(account: AccountId): Promise<Contact> {
    return this.#byAccount.get(account) ?? (await this.#put(this.#stranger(account)))
  }

  #stranger(account: AccountId): Contact {
    if (this.#byAccount.size >= CONTACTS_MAX) throw new ProtocolError('quota', 'contacts')
    return {
      local: this.#next(),
      account,
      name: `~${account.slice(0, 8)}`,
      relays: [],
      devices: [],
      deliverySecret: undefined,
      confirmed: false
    }
  }

  /** What an account says of itself, authenticated by its device. */
  async introduce(introduction: {
    account: AccountId
    name: string
    deliverySecret: Uint8Array
  }): Promise<Contact> {
    // Nothing is awaited between looking and putting: another change would be lost in between.
    const known = this.#byAccount.get(introduction.account) ?? this.#stranger(introduction.account)
    const { deliverySecret } = introduction
    const name = known.confirmed ? known.name : this.#strangerName(known, introduction.name)
    const unchanged = known.name === name && isSame(known.deliverySecret, deliverySecret)
    return unchanged ? known : await this.#put({ ...known, name, deliverySecret })
  }

  view({ account, name, relays }: Contact): ContactView {
    const { self, primitives } = this.#components
    return {
      account,
      name,
      conversation: direct.directConversationId(self, account, (...parts) =>
        primitives.sha256(...parts)
      ),
      homes: relays.map(({ relay }) => relay)
    }
  }

  #strangerName({ account }: Contact, claimed: string): string {
    const name = `~${claimed === '' ? account.slice(0, 8) : claimed}`
    const others = this.list().filter((other) => other.account !== account)
    const isTaken = (wanted: string): boolean => others.some((other) => other.name === wanted)
    if (!isTaken(name)) return name
    // A name that ends like an id may have been chosen to be taken for it.
    let unique = `${name}-${account.slice(0, 8)}`
    for (let count = 2; isTaken(unique); count += 1)
      unique = `${name}-${account.slice(0, 8)}-${count}`
    return unique
  }

  #next(): number {
    this.#last += 1
    return this.#last
  }

  /** Known at once, so that whoever looks next finds it; resolves once it is durable. */
  async #put(contact: Contact): Promise<Contact> {
    this.#byAccount.set(contact.account, contact)
    await this.#components.store.commit([
      { type: 'put', key: storeKey(PREFIX, u32(contact.local)), value: encodeRecord(contact) }
    ])
    return contact
  }
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && equals(a, b)

function parseLink(link: string): ReturnType<typeof parseContactLink> {
  try {
    return parseContactLink(link)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new UserError('malformed-link', `This is not a contact link: ${cause.detail}.`, {
      hint: 'A contact link begins with kith:contact/ and is printed by: kith account show',
      cause
    })
  }
}

function requireFree(name: string, contacts: readonly Contact[], account: AccountId): void {
  if (name.trim() === '' || name.startsWith('~')) {
    throw new UserError('bad-name', 'A contact needs a name that does not begin with "~".', {
      hint: 'Choose one: kith contact add <link> --name <name>'
    })
  }
  if (contacts.some((other) => other.name === name && other.account !== account)) {
    throw new UserError('name-taken', `You already have a contact called "${name}".`, {
      hint: 'Choose another: kith contact add <link> --name <name>'
    })
  }
}
