// Rebuilds delivery's state from its records and nothing else: what a restart finds is what was on disk.

import type { ConversationId, DeviceId, envelope, RelayId } from '@kith/protocols'
import type { Ranges } from '../conversations/counters.ts'
import { slotTagsOf } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { Member } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u32 } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'
import { entryBytes } from './outbox-limits.ts'
import { promisedBefore } from './promises.ts'
import {
  type ConversationRecord,
  type IntroductionRecord,
  type NumbersRecord,
  PREFIX
} from './records.ts'
import type {
  ConversationState,
  Cursor,
  DeliveryState,
  MadeChange,
  OutboxEntry,
  SlotOwner,
  TagOwner,
  WaitingEnvelope
} from './state.ts'

export interface LoadInit {
  readonly self: Member
  readonly profile: envelope.Introduction
}

async function* records<T>(store: Store, prefix: string, conversation?: number): AsyncIterable<T> {
  const range = rangeOf(conversation === undefined ? prefix : storeKey(prefix, u32(conversation)))
  for await (const [, value] of store.scan(range)) yield decodeRecord<T>(value)
}

/** What peers have said of themselves so far. */
export async function loadIntroductions(store: Store): Promise<readonly IntroductionRecord[]> {
  const introductions: IntroductionRecord[] = []
  for await (const one of records<IntroductionRecord>(store, PREFIX.introduction)) {
    introductions.push(one)
  }
  return introductions
}

/** The state as of the last transaction on disk. */
export async function loadState(
  { store, primitives }: { store: Store; primitives: Primitives },
  { self, profile }: LoadInit
): Promise<DeliveryState> {
  const numbers = await loadNumbers(store)
  const outbox = new Map<number, OutboxEntry>()
  for await (const entry of records<OutboxEntry>(store, PREFIX.outbox))
    outbox.set(entry.local, entry)
  const cursors = new Map<RelayId, Cursor>()
  for await (const cursor of records<Cursor>(store, PREFIX.cursor))
    cursors.set(cursor.relay, cursor)
  const waiting: WaitingEnvelope[] = []
  for await (const kept of records<WaitingEnvelope>(store, PREFIX.waiting)) waiting.push(kept)
  const conversations = await loadConversations(store, outbox)
  return {
    self,
    profile,
    ...numbers,
    reservedLocal: numbers.lastLocal,
    lastTransaction: 0,
    conversations,
    ...indexTags(conversations, primitives),
    outbox,
    outboxBytes: [...outbox.values()].reduce((sum, entry) => sum + entryBytes(entry), 0),
    welcomes: new Map([...outbox].filter(([, { kind }]) => kind === 'welcome')),
    cursors,
    intakes: new Map(
      [...promisedBefore(outbox, cursors)].map(([relay, watch]) => [
        relay,
        { pending: [], cursor: undefined, watch }
      ])
    ),
    opening: undefined,
    waiting,
    missed: [],
    online: new Set(),
    friends: new Set(),
    blocked: new Set()
  }
}

async function loadNumbers(store: Store): Promise<NumbersRecord> {
  const record = await store.get(storeKey(PREFIX.numbers))
  if (record !== undefined) return decodeRecord<NumbersRecord>(record)
  return { lastLocal: 0, lastConversation: 0, lastWaiting: 0, addresses: [] }
}

async function loadConversations(
  store: Store,
  outbox: ReadonlyMap<number, OutboxEntry>
): Promise<ReadonlyMap<ConversationId, ConversationState>> {
  const unsealed = new Map<ConversationId, number[]>()
  for (const entry of outbox.values()) {
    if (entry.sealed !== undefined) continue
    unsealed.set(entry.conversation, [...(unsealed.get(entry.conversation) ?? []), entry.local])
  }
  const conversations = new Map<ConversationId, ConversationState>()
  for await (const record of records<ConversationRecord>(store, PREFIX.conversation)) {
    const incarnations: Incarnation[] = []
    for await (const one of records<Incarnation>(store, PREFIX.incarnation, record.local)) {
      incarnations.push(one)
    }
    const epochs: EpochState[] = []
    for await (const epoch of records<EpochState>(store, PREFIX.epoch, record.local))
      epochs.push(epoch)
    const { receiptVersion, isReceiptDue, receiptSealedAtMs = 0, ...rest } = record
    const { received, delivered, addresses, phase, ...kept } = rest
    conversations.set(record.id, {
      ...kept,
      phase: phase === 'starting' ? 'new' : phase,
      changing: false,
      pending: await pendingOf(store, record.local),
      received: new Map<DeviceId, Ranges>(received),
      delivered: new Map<DeviceId, Ranges>(delivered),
      addresses: new Map<DeviceId, readonly string[]>(addresses),
      incarnations,
      epochs,
      receipt: {
        version: receiptVersion,
        isDue: isReceiptDue,
        sealedAtMs: receiptSealedAtMs,
        timer: false,
        sealing: false,
        isStale: false
      },
      unsealed: unsealed.get(record.id) ?? [],
      sealing: undefined
    })
  }
  return conversations
}

async function pendingOf(store: Store, local: number): Promise<MadeChange | undefined> {
  const record = await store.get(storeKey(PREFIX.change, u32(local)))
  return record === undefined ? undefined : decodeRecord<MadeChange>(record)
}

/** Which epoch and which receipts an opaque tag belongs to. */
function indexTags(
  conversations: ReadonlyMap<ConversationId, ConversationState>,
  primitives: Primitives
): Pick<DeliveryState, 'tags' | 'slotTags'> {
  const tags = new Map<string, TagOwner>()
  const slotTags = new Map<string, SlotOwner>()
  for (const { id, epochs } of conversations.values()) {
    for (const epoch of epochs) {
      tags.set(epoch.tag, { conversation: id, epoch })
      for (const { tag, member } of slotTagsOf(epoch, primitives)) {
        slotTags.set(tag, { conversation: id, member, archiveKey: epoch.archiveKey })
      }
    }
  }
  return { tags, slotTags }
}
