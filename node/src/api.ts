// What a user interface sees of a node: plain data that also travels over the local socket, and nothing else.
import type { AccountId, ConversationId, DeviceId, MessageId, RelayId } from '@kith/protocols'
import type { ContactsApi, NoticeView, RequestView } from './contacts/views.ts'
import type { EventsApi } from './events/views.ts'
import type { DevicesApi, LinkView } from './linking/views.ts'

export type * from './contacts/views.ts'
export type * from './events/views.ts'
export type * from './linking/views.ts'

export interface HomeView {
  readonly relay: RelayId
  readonly addresses: readonly string[]
  readonly connected: boolean
}

export interface AccountView {
  readonly account: AccountId
  readonly device: DeviceId
  readonly name: string
  readonly devices: readonly DeviceId[]
  readonly homes: readonly HomeView[]
  /** `kith:contact/…`, to be given to others. */
  readonly link: string
  /** The same with this device's addresses, for somebody without a common relay. */
  readonly directLink: string
}

export interface ContactView {
  readonly account: AccountId
  /** Name given by this user, unique among contacts. */
  readonly name: string
  readonly conversation: ConversationId
  readonly homes: readonly RelayId[]
  /** The user has compared the safety number that holds now. */
  readonly isVerified: boolean
  readonly isBlocked: boolean
}

/** `received` is the state of what others wrote. A time-out never becomes a state: unknown is `queued`. */
export type DeliveryState = 'queued' | 'accepted' | 'delivered' | 'received'
export type DeliveryPath = 'direct' | 'relay'

export interface MessageView {
  /** This device's number of the message, ascending in order of arrival; never reused. */
  readonly local: number
  /** Absent until the message is sealed. */
  readonly id: MessageId | undefined
  readonly conversation: ConversationId
  /** Contact name, or the own name. Not sanitized. */
  readonly sender: string
  readonly outgoing: boolean
  /** Not sanitized. */
  readonly text: string
  readonly sentAtMs: number
  /** When this device stored it. */
  readonly storedAtMs: number
  readonly state: DeliveryState
  /** Relays that hold it durably, for `accepted`. */
  readonly relays: number
  readonly path: DeliveryPath | undefined
  /** Why it is still queued, or accepted and not delivered, as a short sentence, when that is known. */
  readonly reason: string | undefined
}

/** Something this device knows it lacks: counters of a sender device, or a message others have named. */
export interface GapView {
  readonly conversation: ConversationId
  readonly missing:
    | { readonly device: DeviceId; readonly from: number; readonly to: number }
    | { readonly message: MessageId }
}

export type NodeEvent =
  | { readonly type: 'message'; readonly message: MessageView }
  | { readonly type: 'state'; readonly message: MessageView }
  | { readonly type: 'gap'; readonly gap: GapView }
  | { readonly type: 'gap-closed'; readonly gap: GapView }
  | { readonly type: 'contact'; readonly contact: ContactView }
  /** Somebody who is not a contact wrote for the first time. */
  | { readonly type: 'request'; readonly request: RequestView }
  | { readonly type: 'connection'; readonly relay: RelayId; readonly connected: boolean }
  /** Devices that take part in a conversation have changed. */
  | {
      readonly type: 'devices'
      readonly conversation: ConversationId
      readonly device: DeviceId
      readonly text: string
    }
  /** A device is being added; see `startLink`. */
  | { readonly type: 'link'; readonly link: LinkView }
  | { readonly type: 'notice'; readonly text: string }

export interface StatusView {
  readonly account: AccountId
  readonly homes: readonly HomeView[]
  readonly queued: number
  readonly gaps: readonly GapView[]
}

/** Proof against a relay: two statements that it signed and that cannot both be true. */
export interface EvidenceView {
  /** From 1, in the order in which it was found. */
  readonly number: number
  readonly relay: RelayId
  /** When this device had both, by its clock. */
  readonly atMs: number
  /** `heads`: two logs of one box. `receipts`: two changes that ended one epoch of a group. */
  readonly kind: 'heads' | 'receipts'
  /** base64 of the signed statements: SignedHead of protocols/src/box, SignedReceipt of protocols/src/sequencer. */
  readonly statements: readonly [string, string]
}

/** The messenger as a user interface sees it. Every call is also a method of the local socket. */
export interface MessengerApi extends ContactsApi, DevicesApi, EventsApi {
  account(): Promise<AccountView>
  status(): Promise<StatusView>
  addContact(options: { link: string; name?: string }): Promise<ContactView>
  listContacts(): Promise<readonly ContactView[]>
  /** Resolves once the message is durable in the outbox. `to` is a contact name or account id. */
  sendMessage(options: { to: string; text: string }): Promise<MessageView>
  /**
   * Newest `limit` (default 50, at most 1,000) in the order all devices agree on; with `before`, the newest before that
   * message, so that everything can be read page by page. Throws UserError `unknown-message`.
   */
  listMessages(options: { with: string; limit?: number; before?: string }): Promise<{
    readonly messages: readonly MessageView[]
    readonly gaps: readonly GapView[]
    /** Since the first of the messages, by time. */
    readonly notices: readonly NoticeView[]
  }>
  /** What relays signed and contradicted, oldest first; at most 64. */
  listEvidence(): Promise<readonly EvidenceView[]>
  /** Live events from now on, until the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<NodeEvent>
}

/** A failure that a person can act on: what happened, why, and what to type. */
export class UserError extends Error {
  override readonly name = 'UserError'
  /** Stable, for scripts. */
  readonly code: string
  /** A command or step that helps. */
  readonly hint: string | undefined

  constructor(code: string, message: string, options?: { hint?: string; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options?.hint
  }
}
