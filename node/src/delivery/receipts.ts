// Delivery receipts: a replaceable slot per conversation that says which counters of whom this device holds.
// Never a message, never acknowledged, at most one a second; sealed only when what it says is on disk.
import { type ConversationId, SECOND_MS } from '@kith/protocols'
import { countOf, type Ranges } from '../conversations/counters.ts'
import { currentEpoch } from '../conversations/incarnations.ts'
import type { Turn } from './turn.ts'

/** One a second per conversation: the first at once, the rest together. Faster would tell a relay the reading
 * rhythm and cost as much as the messages; slower would be felt. */
const RECEIPT_INTERVAL_MS = SECOND_MS

/** Seals a receipt now, or as soon as the rate allows. */
export function scheduleReceipt(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  const { receipt } = conversation
  if (conversation.phase !== 'ready' || receipt.timer || receipt.sealing) return
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
  const version = versionOf(conversation.received)
  turn.setConversation({
    ...conversation,
    receipt: { version, sealedAtMs: turn.nowMs, timer: false, sealing: true }
  })
  turn.whenDurable({
    type: 'seal-receipt',
    conversation: id,
    peer: conversation.peer,
    archiveKey: currentEpoch(conversation).archiveKey,
    version,
    received: conversation.received
  })
}

export function receiptDue(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  turn.updateConversation({ ...conversation, receipt: { ...conversation.receipt, timer: false } })
  scheduleReceipt(turn, id)
}

/** What arrived while it was being sealed goes into the next. */
export function receiptSealed(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  turn.updateConversation({ ...conversation, receipt: { ...conversation.receipt, sealing: false } })
  if (versionOf(conversation.received) > conversation.receipt.version) scheduleReceipt(turn, id)
}

/** Grows with every message held, so that a receipt never goes back. */
function versionOf(received: ReadonlyMap<string, Ranges>): number {
  let count = 0
  for (const ranges of received.values()) count += countOf(ranges)
  return count
}
