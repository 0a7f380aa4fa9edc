// The delivery machine: every input to its decision. Pure; see turn.ts for what a step yields.
import * as inbox from './inbox.ts'
import * as outbox from './outbox.ts'
import * as receipts from './receipts.ts'
import type { DeliveryState, Input, Stepped } from './state.ts'
import { type Tools, Turn } from './turn.ts'

export function createStep(tools: Tools) {
  return (state: DeliveryState, nowMs: number, input: Input): Stepped => {
    const turn = new Turn(state, nowMs, tools)
    decide(turn, input)
    return turn.finish()
  }
}

function decide(turn: Turn, input: Input): void {
  switch (input.type) {
    case 'compose':
      return outbox.compose(turn, input)
    case 'sealed':
      return outbox.sealed(turn, input)
    case 'started':
      return outbox.started(turn, input)
    case 'start-failed':
      return outbox.startFailed(turn, input)
    case 'retry-start':
      return outbox.pump(turn, input.conversation)
    case 'accepted':
      return outbox.accepted(turn, input)
    case 'refused':
      return outbox.refused(turn, input)
    case 'retry-append':
      return outbox.retryAppend(turn, input)
    case 'online':
      return outbox.online(turn, input.relay)
    case 'offline':
      return inbox.offline(turn, input.relay)
    case 'item':
      return inbox.item(turn, input)
    case 'opened':
      return inbox.opened(turn, input)
    case 'open-again':
      return inbox.openAgain(turn)
    case 'receipt-due':
      return receipts.receiptDue(turn, input.conversation)
    case 'receipt-sealed':
      return receipts.receiptSealed(turn, input.conversation)
    case 'receipt':
      return outbox.receipt(turn, input)
    case 'befriend':
      return outbox.befriend(turn, input.account)
  }
}
