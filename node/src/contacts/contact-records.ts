// The records of contacts: one change after the other, each durable, with the events that it is, before it counts.
import type { AccountId } from '@kith/protocols'
import type { NodeEvent } from '../api.ts'
import type { EventLog } from '../events/index.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u32 } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'
import { type Contact, overflowOf } from './contact.ts'

const PREFIX = 'contacts/contact'

/** Enough for every person one knows. Beyond it, strangers are not kept: their requests end with the process. */
const CONTACTS_MAX = 100_000

export interface ContactRecordsComponents {
  readonly store: Store
  readonly events: Pick<EventLog, 'enter'>
}

export interface ContactChange {
  /** The same contact for no change. */
  readonly decide: (known: Contact | undefined) => Contact
  /** What the change is to whoever reads the log. */
  readonly tell: (before: Contact | undefined, after: Contact) => readonly NodeEvent[]
}

export class ContactRecords {
  readonly byAccount = new Map<AccountId, Contact>()
  readonly #components: ContactRecordsComponents
  #last = 0
  #changing: Promise<unknown> = Promise.resolve()

  constructor(components: ContactRecordsComponents) {
    this.#components = components
  }

  /** Local integer for the next contact. */
  get next(): number {
    return this.#last + 1
  }

  async load(): Promise<void> {
    for await (const [, value] of this.#components.store.scan(rangeOf(PREFIX))) {
      const record = decodeRecord<Contact>(value)
      // Records of older versions name no devices.
      this.#keep({ ...record, devices: record.devices ?? [] })
    }
  }

  /** What is decided rests on every change before it. */
  change(account: AccountId, { decide, tell }: ContactChange): Promise<Contact> {
    const changed = this.#changing.then(async () => {
      const before = this.byAccount.get(account)
      const after = decide(before)
      const isFull = before === undefined && this.byAccount.size >= CONTACTS_MAX
      if (after === before || (isFull && !after.confirmed)) return after
      await this.#put([after, ...overflowOf(this.byAccount.values(), after)], tell(before, after))
      return after
    })
    this.#changing = changed.catch(() => {
      // Its caller is told; the next change stands on its own.
    })
    return changed
  }

  async #put(contacts: readonly Contact[], events: readonly NodeEvent[]): Promise<void> {
    const entry = this.#components.events.enter(events)
    const writes = contacts.map((contact) => ({
      type: 'put' as const,
      key: storeKey(PREFIX, u32(contact.local)),
      value: encodeRecord(contact)
    }))
    await this.#components.store.commit([...writes, ...entry.writes])
    for (const contact of contacts) this.#keep(contact)
    entry.kept()
  }

  #keep(contact: Contact): void {
    this.byAccount.set(contact.account, contact)
    this.#last = Math.max(this.#last, contact.local)
  }
}
