// The id of the direct chat of two accounts: the same on both sides, known before anything is exchanged.
import { compare } from 'uint8arrays/compare'
import type { Sha256 } from '../checks.ts'
import { type AccountId, type ConversationId, conversationIdOf, idBytes } from '../identifiers.ts'
import { LABELS } from '../labels.ts'

/** Whether one account comes before another: in the order of their bytes, which is not that of their text. */
export function isAccountBelow(a: AccountId, b: AccountId): boolean {
  return compare(idBytes(a), idBytes(b)) < 0
}

/** H("direct", both account ids, the lower first). */
export function directConversationId(a: AccountId, b: AccountId, sha256: Sha256): ConversationId {
  const [low, high] = isAccountBelow(a, b) ? [a, b] : [b, a]
  return conversationIdOf(sha256(LABELS.directConversation, idBytes(low), idBytes(high)))
}
