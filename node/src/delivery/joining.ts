// A group that another device began, or added this one to.
import { direct } from '@kith/protocols'
import { introduce } from './compose.ts'
import type { Opened } from './inputs.ts'
import { askDecided } from './missed.ts'
import { pump } from './outbox.ts'
import { openKeptReceipts, scheduleReceipt } from './receipts.ts'
import { reconcile } from './reconcile.ts'
import type { Turn } from './turn.ts'
import { releaseWaiting } from './waiting.ts'

/** A peer founded a group with us: its epoch is durable before anything in it is acknowledged. */
export function joined(turn: Turn, result: Extract<Opened, { type: 'joined' }>): void {
  const { self } = turn.state
  const { snapshot, epoch } = result
  const peer = epoch.members.find(({ account }) => account !== self.account)?.account
  if (peer === undefined) return
  const id = direct.directConversationId(self.account, peer, turn.tools.sha256)
  turn.ensureConversation(id, peer)
  // Whoever begins a group beside one that stands may know that it is over.
  askDecided(turn, id)
  const { groupId } = epoch
  const isKnown = turn.conversation(id).incarnations.some((group) => group.groupId === groupId)
  // Of the other half of a split group: what is said there is read, and this device goes on where it is.
  if (isKnown) turn.addKeys(id, result)
  else {
    turn.addGroup(id, {
      incarnation: {
        groupId,
        creator: snapshot.view.creator,
        epoch: epoch.epoch,
        state: snapshot.state
      },
      epoch,
      slots: result.slots
    })
  }
  for (const write of result.writes) turn.write(write)
  turn.announce({ type: 'joined', account: peer })
  if (turn.state.friends.has(peer)) introduce(turn, id)
  pump(turn, id)
  // Whoever sent the welcome may forget it once it hears of this device in the group.
  scheduleReceipt(turn, id)
  reconcile(turn, id)
  releaseWaiting(turn)
  openKeptReceipts(turn)
}
