// Changes of groups that never came: whoever made one may be at the bottom of the sea. Something that no known epoch
// opens is a sign of it; then the sequencers are asked what has ended the epochs that stand here.
import type { ConversationId } from '@kith/protocols'
import { SECOND_MS } from '@kith/protocols'
import type { Turn } from './turn.ts'

/** A message may overtake the change that its epoch begins with, by another path: it is given this long. */
const LOOK_AFTER_MS = 5 * SECOND_MS
/** Asked in one go. Strangers can make us look, so more would let them make a burst; a thousand chats take 5 minutes. */
const ASKED_AT_ONCE_MAX = 16

/** Something arrived that no known epoch opens. */
export function lookLater(turn: Turn): void {
  const { missed, conversations } = turn.state
  const queued = new Set(missed)
  const added = [...conversations.values()]
    .filter(({ id, phase }) => phase === 'ready' && !queued.has(id))
    .map(({ id }) => id)
  turn.patch({ missed: [...missed, ...added] })
  if (missed.length === 0) setTimer(turn)
}

/** The time has come: what waited may have been opened meanwhile. */
export function lookForMissed(turn: Turn): void {
  const { waiting, missed } = turn.state
  const isOver = waiting.length === 0
  for (const id of isOver ? [] : missed.slice(0, ASKED_AT_ONCE_MAX)) askDecided(turn, id)
  turn.patch({ missed: isOver ? [] : missed.slice(ASKED_AT_ONCE_MAX) })
  setTimer(turn)
}

function setTimer(turn: Turn): void {
  if (turn.state.missed.length === 0) return
  turn.perform({ type: 'timer', delayMs: LOOK_AFTER_MS, input: { type: 'look-for-missed' } })
}

/** Asks what has ended the epochs in which the groups of a conversation stand. */
export function askDecided(turn: Turn, id: ConversationId): void {
  const { incarnations, epochs } = turn.conversation(id)
  for (const incarnation of incarnations.filter(({ isOver }) => isOver !== true)) {
    const epoch = epochs.find(
      (one) => one.groupId === incarnation.groupId && one.epoch === incarnation.epoch
    )
    if (epoch !== undefined)
      turn.whenDurable({ type: 'ask-decided', conversation: id, incarnation, epoch })
  }
}
