// When a group may have to follow an account log. What that takes is found out with the logs at hand, outside.
import type { ConversationId } from '@kith/protocols'
import { currentEpoch } from '../conversations/incarnations.ts'
import type { Turn } from './turn.ts'

/**
 * Has the group that everyone sends in compared with the account logs, or a change that was made asked for again;
 * one at a time.
 */
export function reconcile(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  if (conversation.phase !== 'ready' || conversation.changing) return
  const { pending } = conversation
  // What was made is asked for in its own group, even if everyone sends in another by now.
  const { groupId: changed } = pending?.epoch ?? currentEpoch(conversation)
  const incarnation = conversation.incarnations.find(({ groupId }) => groupId === changed)
  const epoch = conversation.epochs.find(
    (one) => one.groupId === changed && one.epoch === incarnation?.epoch
  )
  if (incarnation === undefined || epoch === undefined) return
  turn.updateConversation({ ...conversation, changing: true })
  if (pending === undefined)
    turn.whenDurable({ type: 'change', conversation: id, incarnation, epoch })
  else turn.whenDurable({ type: 'sequence', conversation: id, incarnation, epoch, change: pending })
}
