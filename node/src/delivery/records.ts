// Delivery's records on disk: one function a record, so that a state can be rebuilt from nothing but them.
// Keys hold local integers or opaque bytes, never a contact or a name.
import type { AccountId, DeviceId, MessageId, RelayId } from '@kith/protocols'
import type { Ranges } from '../conversations/counters.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { StoredMessage } from '../conversations/message.ts'
import { encodeRecord } from '../kernel/record.ts'
import { storeKey, u32, u48 } from '../kernel/store/key.ts'
import type { Write } from '../kernel/store/store.ts'
import type { DeliveryEvent } from './inputs.ts'
import type {
  ConversationState,
  Cursor,
  MadeChange,
  OutboxEntry,
  WaitingEnvelope
} from './state.ts'

/** Prefixes of the records; each a namespace of its own in the store. */
export const PREFIX = {
  numbers: 'delivery/numbers',
  conversation: 'delivery/conversation',
  incarnation: 'delivery/incarnation',
  epoch: 'delivery/epoch',
  outbox: 'delivery/outbox',
  cursor: 'delivery/cursor',
  waiting: 'delivery/waiting',
  introduction: 'delivery/introduction',
  change: 'delivery/change',
  mark: 'delivery/mark'
} as const

/** Events that are written with what they tell; `progress` when a state has changed. */
export type LoggedDeliveryEvent = Extract<
  DeliveryEvent,
  { type: 'composed' | 'message' | 'progress' | 'gap' | 'gap-closed' | 'notice' }
>

/**
 * One change of a transaction. Marks, timeline entries and events are turned into writes by the shell: a mark's key is
 * made opaque with the store's key, a timeline packs its entries into blocks, events are numbered and named.
 */
export type Change =
  | Write
  | { readonly type: 'event'; readonly event: LoggedDeliveryEvent }
  | { readonly type: 'mark'; readonly id: MessageId; readonly depth: number }
  | { readonly type: 'timeline'; readonly local: number; readonly message: StoredMessage }
  | { readonly type: 'timeline-update'; readonly local: number; readonly message: StoredMessage }

export interface NumbersRecord {
  /** Local numbers up to this one may have been used. */
  readonly lastLocal: number
  readonly lastConversation: number
  readonly lastWaiting: number
  readonly addresses: readonly string[]
}

/** What of a conversation survives a restart besides its groups; the rest follows from the outbox. */
export interface ConversationRecord
  extends Pick<
    ConversationState,
    | 'id'
    | 'local'
    | 'peer'
    | 'counter'
    | 'deepest'
    | 'heads'
    | 'missingHeads'
    | 'introduced'
    | 'joined'
    | 'phase'
  > {
  readonly received: readonly (readonly [DeviceId, Ranges])[]
  readonly delivered: readonly (readonly [DeviceId, Ranges])[]
  readonly addresses: readonly (readonly [DeviceId, readonly string[]])[]
  readonly isReceiptDue: boolean
  readonly receiptVersion: number
  /** Absent in older records. */
  readonly receiptSealedAtMs?: number
}

const put = (key: Uint8Array, value: unknown): Write => ({
  type: 'put',
  key,
  value: encodeRecord(value)
})

/** Stores the numbers that are never used twice, and this device's own addresses. */
export function numbersWrite(numbers: NumbersRecord): Write {
  const { lastLocal, lastConversation, lastWaiting, addresses } = numbers
  const record: NumbersRecord = { lastLocal, lastConversation, lastWaiting, addresses }
  return put(storeKey(PREFIX.numbers), record)
}

/** Stores a conversation without its lists that only grow, which have records of their own. */
export function conversationWrite(conversation: ConversationState): Write {
  const { id, local, peer, counter, deepest, heads, missingHeads, introduced } = conversation
  const record: ConversationRecord = {
    id,
    local,
    peer,
    counter,
    deepest,
    heads,
    missingHeads,
    introduced,
    ...(conversation.joined === undefined ? {} : { joined: conversation.joined }),
    received: [...conversation.received],
    delivered: [...conversation.delivered],
    addresses: [...conversation.addresses],
    isReceiptDue: conversation.receipt.isDue,
    phase: conversation.phase,
    receiptVersion: conversation.receipt.version,
    receiptSealedAtMs: conversation.receipt.sealedAtMs
  }
  return put(storeKey(PREFIX.conversation, u32(local)), record)
}

/** `index` is the position in the conversation's list, which only grows. */
export const incarnationWrite = (local: number, index: number, incarnation: Incarnation): Write =>
  put(storeKey(PREFIX.incarnation, u32(local), u32(index)), incarnation)

export const epochWrite = (local: number, index: number, epoch: EpochState): Write =>
  put(storeKey(PREFIX.epoch, u32(local), u32(index)), epoch)

export const outboxWrite = (entry: OutboxEntry): Write =>
  put(storeKey(PREFIX.outbox, u48(entry.local)), entry)

export const outboxDelete = (local: number): Write => ({
  type: 'delete',
  key: storeKey(PREFIX.outbox, u48(local))
})

export const cursorWrite = (cursor: Cursor): Write =>
  put(storeKey(PREFIX.cursor, u32(cursor.local)), cursor)

/** What a peer said of itself; contacts take it over, again at every start. */
export interface IntroductionRecord {
  readonly account: AccountId
  readonly name: string
  readonly deliverySecret: Uint8Array
}

export const introductionWrite = (local: number, introduction: IntroductionRecord): Write =>
  put(storeKey(PREFIX.introduction, u32(local)), introduction)

export const changeWrite = (local: number, change: MadeChange): Write =>
  put(storeKey(PREFIX.change, u32(local)), change)

export const changeDelete = (local: number): Write => ({
  type: 'delete',
  key: storeKey(PREFIX.change, u32(local))
})

export const waitingWrite = (waiting: WaitingEnvelope): Write =>
  put(storeKey(PREFIX.waiting, u48(waiting.local)), waiting)

export const waitingDelete = (local: number): Write => ({
  type: 'delete',
  key: storeKey(PREFIX.waiting, u48(local))
})

/** Local integers of cursors are positions in the order relays were first seen. */
export const cursorLocal = (cursors: ReadonlyMap<RelayId, Cursor>): number => cursors.size + 1
