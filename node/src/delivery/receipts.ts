// Delivery receipts: a replaceable slot per conversation that says which counters of whom this device holds, and
// where it can be reached directly. Never a message, never acknowledged, at most one a second; sealed only when
// what it says is on disk.
import { type box, type ConversationId, type RelayId, SECOND_MS } from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { currentEpoch } from '../conversations/incarnations.ts'
import type { Input } from './inputs.ts'
import type { Turn } from './turn.ts'

/** One a second per conversation: the first at once, the rest together. Faster would tell a relay the reading
 * rhythm and cost as much as the messages; slower would be felt. */
const RECEIPT_INTERVAL_MS = SECOND_MS
/** A home that is there and did not take it is busy, or does not know the peer yet: a few seconds change that. */
const RECEIPT_RETRY_MS = 5 * SECOND_MS

/** Receipts of groups not joined yet, for one home; at 16 KiB each they are a megabyte. More are somebody's junk. */
const UNOPENED_MAX = 64

/** There is something new to tell: seals a receipt now, or as soon as the rate allows. */
export function scheduleReceipt(turn: Turn, id: ConversationId): void {
  const before = turn.conversation(id)
  const isStale = before.receipt.sealing
  if (!before.receipt.isDue || isStale !== before.receipt.isStale) {
    turn.setConversation({ ...before, receipt: { ...before.receipt, isDue: true, isStale } })
  }
  const conversation = turn.conversation(id)
  const { receipt } = conversation
  if (conversation.phase !== 'ready' || receipt.timer || receipt.sealing) return
  // A stranger that learnt when its messages arrive would learn when this device is awake.
  if (!turn.state.friends.has(conversation.peer)) return
  const elapsed = turn.nowMs - receipt.sealedAtMs
  if (elapsed >= 0 && elapsed < RECEIPT_INTERVAL_MS) {
    turn.updateConversation({ ...conversation, receipt: { ...receipt, timer: true } })
    turn.perform({
      type: 'timer',
      delayMs: RECEIPT_INTERVAL_MS - elapsed,
      input: { type: 'receipt-due', conversation: id }
    })
    return
  }
  sealReceipt(turn, id)
}

function sealReceipt(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  const version = conversation.receipt.version + 1
  turn.setConversation({
    ...conversation,
    receipt: { ...conversation.receipt, version, sealedAtMs: turn.nowMs, sealing: true }
  })
  turn.whenDurable({
    type: 'seal-receipt',
    conversation: id,
    peer: conversation.peer,
    archiveKey: currentEpoch(conversation).archiveKey,
    version,
    received: conversation.received,
    addresses: turn.state.addresses
  })
}

/** A new epoch: its members learn where this device is, if it can be reached at all. */
export function tellAddresses(turn: Turn, id: ConversationId): void {
  if (turn.state.addresses.length > 0) scheduleReceipt(turn, id)
}

/** The pause after a receipt is over: what has come since goes out as the next one. */
export function receiptDue(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  turn.updateConversation({ ...conversation, receipt: { ...conversation.receipt, timer: false } })
  if (conversation.receipt.isDue) scheduleReceipt(turn, id)
}

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** What arrived while it was being sealed goes into the next; what no home took is told again after a pause, or
 * when one is reachable again. */
export function receiptSealed(
  turn: Turn,
  { conversation: id, confirmed }: Of<'receipt-sealed'>
): void {
  const conversation = turn.conversation(id)
  const { receipt } = conversation
  const isStale = receipt.isStale
  turn.setConversation({
    ...conversation,
    receipt: { ...receipt, sealing: false, isStale: false, isDue: isStale || !confirmed }
  })
  if (isStale) scheduleReceipt(turn, id)
  else if (!confirmed && turn.state.online.size > 0) retryReceipt(turn, id)
}

function retryReceipt(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  if (conversation.receipt.timer) return
  turn.updateConversation({ ...conversation, receipt: { ...conversation.receipt, timer: true } })
  turn.perform({
    type: 'timer',
    delayMs: RECEIPT_RETRY_MS,
    input: { type: 'receipt-due', conversation: id }
  })
}

/** Receipts that arrived. A group's may come before its welcome: they are kept until it has been joined. */
export function openReceipts(turn: Turn, relay: RelayId, slots: readonly box.Slot[]): void {
  if (slots.length === 0) return
  const unopened: box.Slot[] = []
  for (const slot of slots) {
    const owner = turn.state.slotTags.get(toText(slot.tag, 'base16'))
    if (owner === undefined) unopened.push(slot)
    else turn.perform({ type: 'open-receipt', owner, slot })
  }
  const intake = turn.intake(relay)
  const kept = [...(intake.unopened ?? []), ...unopened].slice(-UNOPENED_MAX)
  turn.setIntake(relay, { ...intake, unopened: kept })
}

/** A group has been joined or moved on: what was kept may be of it. */
export function openKeptReceipts(turn: Turn): void {
  for (const [source, intake] of turn.state.intakes) {
    const { unopened = [] } = intake
    if (unopened.length === 0) continue
    turn.setIntake(source, { ...intake, unopened: [] })
    openReceipts(turn, source as RelayId, unopened)
  }
}

/** This device can be reached somewhere else now: everybody it talks to is told. */
export function addresses(turn: Turn, input: Of<'addresses'>): void {
  const before = turn.state.addresses
  if (before.join() === input.addresses.join()) return
  turn.setAddresses(input.addresses)
  for (const { id, phase } of turn.state.conversations.values()) {
    if (phase === 'ready') scheduleReceipt(turn, id)
  }
}
