// Requests, blocking and safety numbers of the messenger in memory: as much of them as commands can be tested with.
import {
  type BlockedView,
  type ContactsApi,
  type ContactView,
  type RequestView,
  type SafetyView,
  UserError
} from '@kith/node'
import type { MemoryPerson } from './memory-engine.ts'

export const DIGITS = '0123456789'.repeat(6)

export class MemoryStrangers implements ContactsApi {
  readonly requests: RequestView[] = []
  /** Home relays that answer when they are told of a block. */
  relaysTold = 1
  readonly #person: MemoryPerson

  constructor(person: MemoryPerson) {
    this.#person = person
  }

  listRequests = async (): Promise<readonly RequestView[]> => this.requests

  acceptRequest = async (options: { who: string; name?: string }): Promise<ContactView> => {
    const { account, name } = this.#take(options.who)
    const claimed = name.slice(1, -9)
    return this.#person.addContact({ account, name: options.name ?? claimed })
  }

  ignoreRequest = async ({ who }: { who: string }): Promise<ContactView> => {
    const { account, name } = this.#take(who)
    const contact = this.#person.addContact({ account, name })
    this.#person.contacts.delete(name)
    return contact
  }

  blockContact = async ({ who }: { who: string }): Promise<BlockedView> =>
    this.#block(this.#person.find(who), true)

  unblockContact = async ({ who }: { who: string }): Promise<BlockedView> =>
    this.#block(this.#person.find(who), false)

  listBlocked = async (): Promise<readonly ContactView[]> =>
    [...this.#person.contacts.values()].filter(({ isBlocked }) => isBlocked)

  safetyNumber = async ({ who }: { who: string }): Promise<SafetyView> => {
    const { devices } = this.#person.view()
    const lists = { theirDevices: [...devices, ...devices], ownDevices: devices }
    const hashes = { theirDevicesHash: '0123456789abcdef', ownDevicesHash: 'fedcba9876543210' }
    return { contact: this.#person.find(who), digits: DIGITS, ...lists, ...hashes }
  }

  verifyContact = async (options: { who: string; digits: string }): Promise<ContactView> => {
    const contact = { ...this.#person.find(options.who), isVerified: true }
    if (options.digits.replaceAll(' ', '') !== DIGITS) {
      throw new UserError('safety-mismatch', 'These digits are not your safety number.')
    }
    this.#person.contacts.set(contact.name, contact)
    return contact
  }

  #take(who: string): RequestView {
    const index = this.requests.findIndex(
      ({ account, name }) => name === who || account.startsWith(who)
    )
    const [request] = index < 0 ? [] : this.requests.splice(index, 1)
    if (request === undefined) throw new UserError('no-request', `"${who}" has no open request.`)
    return request
  }

  #block(contact: ContactView, isBlocked: boolean): BlockedView {
    const changed = { ...contact, isBlocked }
    this.#person.contacts.set(contact.name, changed)
    return { contact: changed, relaysTold: this.relaysTold }
  }
}
