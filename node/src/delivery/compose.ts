// What comes into the outbox from this device's user, and what goes with it: texts while there is room, and the
// introduction before the first.
import type { ConversationId } from '@kith/protocols'
import type { Input } from './inputs.ts'
import { pump } from './outbox.ts'
import { outboxFull } from './outbox-limits.ts'
import type { OutboxEntry } from './state.ts'
import type { Turn } from './turn.ts'

/** Takes a text: durable first, then shown, then sealed and sent. Refuses it while the outbox is full. */
export function compose(turn: Turn, input: Extract<Input, { type: 'compose' }>): void {
  const { request, text } = input
  const error = outboxFull(turn.state, text)
  if (error !== undefined) {
    return turn.perform({ type: 'event', event: { type: 'not-composed', request, error } })
  }
  turn.ensureConversation(input.conversation, input.peer)
  introduce(turn, input.conversation)
  const entry = enqueue(turn, input.conversation, 'text', text)
  turn.log({ type: 'composed', request, entry })
  pump(turn, input.conversation, 'at-once')
}

/** Queues this account's introduction unless the peer has had it. */
export function introduce(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  if (conversation.introduced) return
  turn.setConversation({ ...conversation, introduced: true })
  enqueue(turn, id, 'introduction', '')
}

function enqueue(
  turn: Turn,
  id: ConversationId,
  kind: 'text' | 'introduction',
  text: string
): OutboxEntry {
  const conversation = turn.conversation(id)
  const entry: OutboxEntry = {
    local: turn.next('lastLocal'),
    conversation: id,
    kind,
    text,
    change: undefined,
    composedAtMs: turn.nowMs,
    sealed: undefined,
    target: conversation.peer,
    acceptedBy: [],
    deliveredBy: undefined,
    refusal: undefined
  }
  turn.setOutbox(entry)
  turn.updateConversation({ ...conversation, unsealed: [...conversation.unsealed, entry.local] })
  return entry
}
