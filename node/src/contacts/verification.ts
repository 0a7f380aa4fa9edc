// Comparing safety numbers: shows this side's, and remembers that the user found the other side's equal.
import { type AccountId, SECOND_MS } from '@kith/protocols'
import { UserError } from '../api.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { PeerAddress } from '../kernel/rpc.ts'
import type { Contact } from './contact.ts'
import type { Contacts } from './contacts.ts'
import type { Directory } from './directory.ts'
import { deviceListHash, readSafetyNumber, safetyNumber } from './safety-number.ts'
import type { SafetyView } from './views.ts'

/** A person waits for the digits; what is known here is shown when no relay answers in this time. */
const REFRESH_MAX_MS = 4 * SECOND_MS

/** Logs asked for when a session begins: little beside what a relay allows (300 a minute). */
const REFRESHED_AT_ONCE = 20

export interface VerificationComponents {
  readonly contacts: Contacts
  readonly directory: Directory
  readonly primitives: Primitives
  readonly clock: Clock
  /** Where to ask about an account. */
  readonly relaysOf: (account: AccountId) => readonly PeerAddress[]
  readonly self: AccountId
}

export class Verification {
  readonly #components: VerificationComponents
  /** Monotonic time of the last look at each log, in this run. */
  readonly #refreshed = new Map<AccountId, number>()
  #isRefreshing = false

  constructor(components: VerificationComponents) {
    this.#components = components
  }

  /** Over the newest account logs to be had. Throws UserError `unreachable` when the contact's was never fetched. */
  async show(contact: Contact): Promise<SafetyView> {
    const { contacts, directory, primitives, self } = this.#components
    await Promise.all([this.#refresh(contact.account), this.#refresh(self)])
    const [own, theirs] = [directory.state(self), directory.state(contact.account)]
    if (own === undefined || theirs === undefined) {
      throw new UserError(
        'unreachable',
        `The account log of "${contact.name}" has not been fetched yet, and no relay has it now.`,
        { hint: 'Try again when you are connected.' }
      )
    }
    const sha256 = (...parts: Uint8Array[]) => primitives.sha256(...parts)
    const theirDevices = theirs.devices.map(({ device }) => device)
    const ownDevices = own.devices.map(({ device }) => device)
    return {
      contact: contacts.view(contact),
      digits: safetyNumber(own, theirs, sha256),
      theirDevices,
      theirDevicesHash: deviceListHash(contact.account, theirDevices, sha256),
      ownDevices,
      ownDevicesHash: deviceListHash(self, ownDevices, sha256)
    }
  }

  /** Throws UserError `bad-safety-number` or `safety-mismatch`; then nothing has changed. */
  async confirm(contact: Contact, typed: string): Promise<Contact> {
    const digits = readSafetyNumber(typed)
    const shown = await this.show(contact)
    const { contacts } = this.#components
    const keys = contacts.rootKeys(contact.account)
    if (digits === shown.digits && keys !== undefined) {
      return await contacts.verify(contact.account, keys)
    }
    throw new UserError(
      'safety-mismatch',
      `These digits are not your safety number with "${contact.name}". Either they were read or typed wrongly, ` +
        'or they are those of another chat, or one of you was given a false account in place of the other: by ' +
        'whoever passed on the contact link, or by a relay. Nothing was marked as verified.',
      {
        hint: 'Compare again, in person or by a call. If it still differs, do not trust this chat: get a new contact link from the person directly.'
      }
    )
  }

  /** Fetches the logs of verified contacts, those longest not looked at first; one round at a time. */
  async refreshVerified(): Promise<void> {
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    try {
      const verified = this.#components.contacts
        .list('contact')
        .filter((contact) => contact.verified !== undefined)
        .map(({ account }) => account)
      const order = (account: AccountId) => this.#refreshed.get(account) ?? 0
      const due = verified.sort((a, b) => order(a) - order(b)).slice(0, REFRESHED_AT_ONCE)
      for (const account of due) {
        this.#refreshed.set(account, this.#components.clock.monotonic())
        await this.#refresh(account)
      }
    } finally {
      this.#isRefreshing = false
    }
  }

  async #refresh(account: AccountId): Promise<void> {
    const { clock, directory, relaysOf } = this.#components
    const late = new AbortController()
    const cancel = clock.schedule(REFRESH_MAX_MS, () => late.abort())
    try {
      await directory.refresh(account, relaysOf(account), late.signal)
    } catch {
      // What is known stands; a relay that serves a false log is refused by the fold.
    } finally {
      cancel()
    }
  }
}
