// What happens around a conversation and is not a message: devices that come and go, a recovery key that is replaced.
// Kept, told live, and listed between the messages.
import type { AccountId } from '@kith/protocols'
import type { NodeEvent } from './api.ts'
import type { Contact, Contacts } from './contacts/contacts.ts'
import { type Notice, type Notices, noticeText, type TellNotice } from './contacts/notices.ts'
import type { NoticeView } from './contacts/views.ts'
import { currentEpoch } from './conversations/incarnations.ts'
import type { DeliveryEvent } from './delivery/inputs.ts'
import type { ConversationState } from './delivery/state.ts'

export type MembersEvent = Extract<DeliveryEvent, { type: 'members' }>

export interface ConversationNoticesComponents {
  readonly contacts: Contacts
  readonly notices: Notices
  readonly self: AccountId
}

export class ConversationNotices {
  readonly #components: ConversationNoticesComponents
  readonly #emit: (event: NodeEvent) => void

  constructor(components: ConversationNoticesComponents, emit: (event: NodeEvent) => void) {
    this.#components = components
    this.#emit = emit
  }

  /** The newest `limit` since a time, oldest of them first. */
  async list(
    contact: Contact,
    { sinceMs, limit }: { sinceMs: number; limit: number }
  ): Promise<readonly NoticeView[]> {
    const { contacts, notices } = this.#components
    const { conversation } = contacts.view(contact)
    const newest = await notices.newest(contact.local, limit)
    return newest
      .filter(({ atMs }) => atMs >= sinceMs)
      .map((notice) => ({ conversation, atMs: notice.atMs, text: this.#textOf(contact, notice) }))
  }

  /** Compares who takes part now with who did; a change is told once, also one from before a restart. */
  async followMembers(conversation: ConversationState, event?: MembersEvent): Promise<void> {
    const { contacts, notices } = this.#components
    const contact = contacts.get(conversation.peer)
    if (contact === undefined) return
    const { members } = currentEpoch(conversation)
    const isAdded = (device: string) => event?.added.some((one) => one.device === device)
    const before = event && [...members.filter(({ device }) => !isAdded(device)), ...event.removed]
    const toEvent: TellNotice = (notice) => {
      const { device } = notice
      if (device === undefined || !contacts.isContact(contact.account)) return undefined
      const text = this.#textOf(contact, notice)
      return { type: 'devices', conversation: conversation.id, device, text }
    }
    this.#emitAll(await notices.followMembers(contact.local, members, before, toEvent), toEvent)
  }

  /** An account log has grown; `before` is the recovery key that it named until then. */
  async followKey(
    account: AccountId,
    keys: { before: Uint8Array | undefined; recoveryKey: Uint8Array }
  ): Promise<void> {
    const { contacts, notices } = this.#components
    const contact = contacts.get(account)
    if (contact === undefined) return
    const toEvent: TellNotice = (notice) =>
      contacts.isContact(account)
        ? { type: 'notice', text: `${this.#textOf(contact, notice)}.` }
        : undefined
    const change = { account, ...keys }
    this.#emitAll(await notices.followRecoveryKey(contact.local, change, toEvent), toEvent)
  }

  #emitAll(notices: readonly Notice[], toEvent: TellNotice): void {
    for (const event of notices.flatMap((notice) => toEvent(notice) ?? [])) this.#emit(event)
  }

  #textOf(contact: Contact, notice: Notice): string {
    const { contacts, self } = this.#components
    const { isVerified } = contacts.view(contact)
    return noticeText(notice, { name: contact.name, self, isVerified })
  }
}
