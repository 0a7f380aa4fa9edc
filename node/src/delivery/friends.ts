// Who is told anything: friends are introduced to and sent receipts, strangers learn nothing of this device, and of
// blocked accounts nothing is kept. The user decides; contacts remember it.
import type { AccountId } from '@kith/protocols'
import { introduce } from './compose.ts'
import { pump } from './outbox.ts'
import { scheduleReceipt } from './receipts.ts'
import type { Turn } from './turn.ts'

/** From now on this account is told: who this one is, in a chat it has begun, and what has arrived so far. */
export function befriend(turn: Turn, account: AccountId): void {
  turn.patch({
    friends: new Set(turn.state.friends).add(account),
    blocked: without(turn.state.blocked, account)
  })
  for (const { id, peer, phase, receipt } of turn.state.conversations.values()) {
    if (peer !== account || phase !== 'ready') continue
    introduce(turn, id)
    pump(turn, id)
    // What could not be told before goes with the next session anyway.
    if (receipt.isDue && turn.state.online.size > 0) scheduleReceipt(turn, id)
  }
}

/** From now on nothing of this account is kept, and it is told nothing. */
export function block(turn: Turn, account: AccountId): void {
  turn.patch({
    friends: without(turn.state.friends, account),
    blocked: new Set(turn.state.blocked).add(account)
  })
}

/** A stranger again. */
export function unblock(turn: Turn, account: AccountId): void {
  turn.patch({ blocked: without(turn.state.blocked, account) })
}

function without(all: ReadonlySet<AccountId>, account: AccountId): ReadonlySet<AccountId> {
  const others = new Set(all)
  others.delete(account)
  return others
}
