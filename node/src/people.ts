// Who is heard: contacts are, strangers become requests, of blocked accounts nothing is shown. Between delivery, which
// takes from everybody, and the user, who decides.
import type { AccountId, ConversationId } from '@kith/protocols'
import type { ContactView, MessageView, NodeEvent } from './api.ts'
import type { BoxSettings } from './contacts/box-settings.ts'
import { byRequest, standingOf } from './contacts/contact.ts'
import { readContactLink } from './contacts/contact-link.ts'
import type { Contact, Contacts } from './contacts/contacts.ts'
import type { Directory } from './contacts/directory.ts'
import type { Notices } from './contacts/notices.ts'
import type { Verification } from './contacts/verification.ts'
import type { BlockedView, ContactsApi, RequestView } from './contacts/views.ts'
import { ConversationNotices, type MembersEvent } from './conversation-notices.ts'
import type { StoredMessage } from './conversations/message.ts'
import type { Timelines } from './conversations/timeline.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { DeliveryEvent } from './delivery/inputs.ts'
import type { LoggedDeliveryEvent } from './delivery/records.ts'
import type { ConversationState } from './delivery/state.ts'
import type { Log } from './kernel/log.ts'
import { shortened } from './message-text.ts'

/** Messages of a request that become events when it is accepted; all are in the list. */
const ACCEPTED_SHOWN_MAX = 1_000

export interface PeopleComponents {
  readonly contacts: Contacts
  readonly directory: Directory
  readonly notices: Notices
  readonly verification: Verification
  readonly boxSettings: BoxSettings
  readonly timelines: Timelines
  readonly log: Log
  readonly self: AccountId
}

export interface PeopleInit {
  readonly delivery: Delivery
  readonly emit: (event: NodeEvent) => void
  readonly viewOf: (message: StoredMessage) => MessageView
}

type Heard = Extract<DeliveryEvent, { type: 'message' }>

export class People implements ContactsApi {
  /** What happens around conversations. */
  readonly notices: ConversationNotices
  readonly #components: PeopleComponents
  readonly #init: PeopleInit
  /** Messages of strangers who are just being accepted: shown with what came before. */
  readonly #held = new Map<AccountId, StoredMessage[]>()

  constructor(components: PeopleComponents, init: PeopleInit) {
    this.#components = components
    this.#init = init
    this.notices = new ConversationNotices(components, init.emit)
  }

  /** Tells delivery who is who, and finds out what changed while this device was not looking. */
  start(): void {
    const { contacts, directory } = this.#components
    for (const contact of contacts.list()) {
      this.#regard(contact)
      // The process ended between accepting it and showing what it had written.
      if (contact.isUnshown === true) void this.#guard(this.#showAll(contact))
    }
    directory.onChange((account, keys) => void this.#guard(this.notices.followKey(account, keys)))
    for (const conversation of this.#init.delivery.state.conversations.values()) {
      if (conversation.incarnations.length > 0) {
        void this.#guard(this.notices.followMembers(conversation))
      }
    }
  }

  /** Looks for replaced recovery keys of verified contacts; what is found is told like any change of a log. */
  refresh(): void {
    void this.#guard(this.#components.verification.refreshVerified())
  }

  /** Whether an event is for the people of this account to see as it is; otherwise it has been dealt with. */
  isShown(event: DeliveryEvent): boolean {
    switch (event.type) {
      case 'introduced':
        void this.#guard(this.#introduced(event.introduction))
        return false
      case 'joined':
        void this.#guard(this.#components.contacts.meet(event.account))
        return false
      case 'befriended':
        void this.#guard(this.#adopt(event.account))
        return false
      case 'message':
        return this.#isShown(event)
      case 'members':
        void this.#guard(this.#changed(event))
        return false
      case 'gap':
      case 'gap-closed':
        return this.isContact(event.conversation)
      default:
        return true
    }
  }

  /** Whether it tells of contacts, or of this device, and nothing of strangers. */
  isOfContacts(event: LoggedDeliveryEvent): boolean {
    if (event.type === 'notice' || event.type === 'composed' || event.type === 'progress')
      return true
    return this.isContact(
      event.type === 'message' ? event.message.conversation : event.conversation
    )
  }

  /** Whether a conversation is one with a contact. */
  isContact(conversation: ConversationId): boolean {
    const peer = this.#conversation(conversation)?.peer
    return peer !== undefined && this.#components.contacts.isContact(peer)
  }

  /** Adds by a link, which accepts an open request too. */
  async addContact(options: { link: string; name?: string }): Promise<ContactView> {
    const { contacts } = this.#components
    const { account } = readContactLink(options.link)
    const add = async () => {
      const contact = await contacts.add(options)
      this.#regard(contact)
      return contact
    }
    const isStranger = contacts.get(account)?.confirmed === false
    return isStranger ? await this.#accepting(account, add) : this.#announce(await add())
  }

  async listRequests(): Promise<readonly RequestView[]> {
    const requests = [...this.#components.contacts.list('request')].sort(byRequest).reverse()
    return await Promise.all(requests.map((contact) => this.#requestView(contact)))
  }

  async acceptRequest({ who, name }: { who: string; name?: string }): Promise<ContactView> {
    const { contacts } = this.#components
    const { account } = contacts.findAny(who)
    return await this.#accepting(account, async () => {
      const contact = await contacts.accept(account, name)
      this.#regard(contact)
      return contact
    })
  }

  async ignoreRequest({ who }: { who: string }): Promise<ContactView> {
    const { contacts } = this.#components
    const { account } = contacts.findAny(who)
    return contacts.view(await contacts.ignore(account))
  }

  async blockContact({ who }: { who: string }): Promise<BlockedView> {
    const { contacts } = this.#components
    return await this.#settle(await contacts.block(contacts.findAny(who).account))
  }

  async unblockContact({ who }: { who: string }): Promise<BlockedView> {
    const { contacts } = this.#components
    return await this.#settle(await contacts.unblock(contacts.findAny(who).account))
  }

  async listBlocked(): Promise<readonly ContactView[]> {
    const { contacts } = this.#components
    return contacts.list('blocked').map((contact) => contacts.view(contact))
  }

  async safetyNumber({ who }: { who: string }) {
    const { contacts, verification } = this.#components
    return await verification.show(contacts.findAny(who))
  }

  async verifyContact({ who, digits }: { who: string; digits: string }): Promise<ContactView> {
    const { contacts, verification } = this.#components
    return contacts.view(await verification.confirm(contacts.find(who), digits))
  }

  #isShown({ message }: Heard): boolean {
    const { contacts, self } = this.#components
    const peer = this.#conversation(message.conversation)?.peer
    if (peer === undefined) return false
    const held = this.#held.get(peer)
    if (held !== undefined) {
      held.push(message)
      return false
    }
    if (contacts.isContact(peer)) return true
    void this.#guard(message.account === self ? this.#adopt(peer) : this.#asked(peer, message))
    return false
  }

  async #asked(account: AccountId, message: StoredMessage): Promise<void> {
    const first = { text: shortened(message), atMs: message.storedAtMs }
    const request = await this.#components.contacts.announce(account, first)
    if (request !== undefined) this.#init.emit({ type: 'request', request })
  }

  async #introduced(introduction: Parameters<Contacts['introduce']>[0]): Promise<void> {
    const contact = await this.#components.contacts.introduce(introduction)
    if (standingOf(contact) === 'contact') this.#announce(contact)
  }

  async #adopt(account: AccountId): Promise<void> {
    const { contacts } = this.#components
    if (contacts.isContact(account)) return
    await this.#accepting(account, async () => {
      const contact = await contacts.adopt(account)
      this.#regard(contact)
      return contact
    })
  }

  /** Whatever comes meanwhile is shown after what came before, and once. */
  async #accepting(account: AccountId, accept: () => Promise<Contact>): Promise<ContactView> {
    this.#held.set(account, this.#held.get(account) ?? [])
    try {
      const contact = await accept()
      const view = this.#announce(contact)
      if (standingOf(contact) === 'contact') await this.#showAll(contact)
      return view
    } finally {
      this.#held.delete(account)
    }
  }

  async #showAll(contact: Contact): Promise<void> {
    const { conversation } = this.#components.contacts.view(contact)
    const state = this.#conversation(conversation)
    if (state === undefined) return
    const stored = await this.#components.timelines.newest(state.local, ACCEPTED_SHOWN_MAX)
    const known = new Set(stored.map(({ local }) => local))
    const held = (this.#held.get(contact.account) ?? []).filter(({ local }) => !known.has(local))
    this.#held.delete(contact.account)
    const toEvent = (message: StoredMessage): NodeEvent => ({
      type: 'message',
      message: this.#init.viewOf(message)
    })
    const shown = stored.map(toEvent)
    await this.#components.contacts.shown(contact.account, shown)
    for (const event of [...shown, ...held.map(toEvent)]) this.#init.emit(event)
  }

  async #settle(contact: Contact): Promise<BlockedView> {
    this.#regard(contact)
    const relaysTold = await this.#components.boxSettings.tellAll()
    return { contact: this.#components.contacts.view(contact), relaysTold }
  }

  #regard({ account, ...contact }: Contact): void {
    const { delivery } = this.#init
    const standing = standingOf({ account, ...contact })
    if (standing === 'contact') {
      delivery.dispatch({ type: 'befriend', account })
      for (const { device, addresses } of contact.devices) delivery.devices.learn(device, addresses)
    } else delivery.dispatch({ type: standing === 'blocked' ? 'block' : 'unblock', account })
  }

  #announce(contact: Contact): ContactView {
    const view = this.#components.contacts.view(contact)
    this.#init.emit({ type: 'contact', contact: view })
    return view
  }

  async #requestView({ account, name, request }: Contact): Promise<RequestView> {
    const conversation = [...this.#init.delivery.state.conversations.values()].find(
      ({ peer }) => peer === account
    )
    const [first] =
      conversation === undefined
        ? []
        : await this.#components.timelines.oldest(conversation.local, 1)
    const text = first === undefined ? undefined : shortened(first)
    return { account, name, text, atMs: request?.atMs ?? first?.storedAtMs ?? 0 }
  }

  async #changed(event: MembersEvent): Promise<void> {
    const conversation = this.#conversation(event.conversation)
    if (conversation !== undefined) await this.notices.followMembers(conversation, event)
  }

  #conversation(id: ConversationId): ConversationState | undefined {
    return this.#init.delivery.state.conversations.get(id)
  }

  /** Nobody waits for these: a failing store has stopped delivery already. */
  async #guard(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#components.log.warn('people-not-followed')
      this.#components.log.debug('people-not-followed', { reason: String(error) })
    }
  }
}
