// The delivery machine: every input to its decision. Pure; see turn.ts for what a step yields.
import { compose } from './compose.ts'
import * as cursors from './cursors.ts'
import * as friends from './friends.ts'
import * as inbox from './inbox.ts'
import type { Input, Stepped } from './inputs.ts'
import * as intake from './intake.ts'
import * as membership from './membership.ts'
import * as missed from './missed.ts'
import * as outbox from './outbox.ts'
import * as progress from './progress.ts'
import * as receipts from './receipts.ts'
import { reconcile } from './reconcile.ts'
import type { DeliveryState } from './state.ts'
import { type Tools, Turn } from './turn.ts'
import { openAgain, tryPostponed } from './waiting.ts'

/** The pure step of the delivery machine over the hash function given. */
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
      return compose(turn, input)
    case 'sealed':
      return outbox.sealed(turn, input)
    case 'started':
      return outbox.started(turn, input)
    case 'start-failed':
      return outbox.startFailed(turn, input)
    case 'retry-start':
      return outbox.pump(turn, input.conversation)
    case 'accepted':
      return inbox.accepted(turn, input)
    case 'cursor-due':
      return cursors.cursorDue(turn, input.relay)
    case 'promises-due':
      return inbox.promisesDue(turn, input.relay)
    case 'shown-elsewhere':
      return inbox.shownElsewhere(turn, input)
    case 'refused':
      return progress.refused(turn, input)
    case 'retry-append':
      return progress.retryAppend(turn, input)
    case 'online':
      progress.online(turn, input.relay)
      return tryPostponed(turn)
    case 'offline':
      return intake.offline(turn, input.relay)
    case 'item':
      return inbox.item(turn, input)
    case 'opened':
      return inbox.opened(turn, input)
    case 'open-again':
      return openAgain(turn)
    case 'try-postponed':
      return tryPostponed(turn)
    case 'receipt-due':
      return receipts.receiptDue(turn, input.conversation)
    case 'receipt-sealed':
      return receipts.receiptSealed(turn, input)
    case 'receipt':
      return progress.receipt(turn, input)
    case 'held':
      return progress.held(turn, input)
    case 'device-online':
      return progress.deviceOnline(turn, input.device)
    case 'deliver':
      return inbox.deliver(turn, input)
    case 'reconcile':
      return reconcile(turn, input.conversation)
    case 'change-made':
      return membership.changeMade(turn, input)
    case 'sequenced':
      return membership.sequenced(turn, input)
    case 'decided':
      return membership.decided(turn, input)
    case 'forked':
      return membership.forked(turn, input)
    case 'look-for-missed':
      return missed.lookForMissed(turn)
    case 'change-failed':
      return membership.settled(turn, input.conversation)
    case 'addresses':
      return receipts.addresses(turn, input)
    case 'befriend':
      return friends.befriend(turn, input.account)
    case 'block':
      return friends.block(turn, input.account)
    case 'unblock':
      return friends.unblock(turn, input.account)
  }
}
