// Direct chats: one conversation, possibly several MLS groups of it when both sides began at once. All stay
// readable; everyone sends in the same one: the lower creator account wins, then the lower group id.
import {
  type AccountId,
  type ConversationId,
  conversationIdOf,
  idBytes,
  LABELS
} from '@kith/protocols'
import { compare } from 'uint8arrays/compare'
import type { Member } from '../groups/group-crypto.ts'

/** One generation of a group's keys, kept for as long as its messages are to be read. */
export interface EpochState {
  readonly groupId: string
  readonly epoch: number
  /** Hex of the 16-byte epoch tag. */
  readonly tag: string
  /** 32 bytes */
  readonly archiveKey: Uint8Array
  /** 8 bytes */
  readonly authenticator: Uint8Array
  readonly members: readonly Member[]
}

/** One MLS group of the conversation; a direct chat may have several when both sides began at once. */
export interface Incarnation {
  /** Hex of the MLS group id. */
  readonly groupId: string
  readonly creator: AccountId
  readonly epoch: number
  /** Encoded group state. */
  readonly state: Uint8Array
}

/** H("direct", sorted account ids): the same on both sides, known before anything is exchanged. */
export function directConversationId(
  a: AccountId,
  b: AccountId,
  sha256: (...parts: Uint8Array[]) => Uint8Array
): ConversationId {
  const [low, high] = isBelow(a, b) ? [a, b] : [b, a]
  return conversationIdOf(sha256(LABELS.directConversation, idBytes(low), idBytes(high)))
}

/** The incarnation that everyone sends in. */
function winner(incarnations: readonly Incarnation[]): Incarnation | undefined {
  return incarnations.reduce<Incarnation | undefined>(
    (best, next) => (best === undefined || isLower(next, best) ? next : best),
    undefined
  )
}

function isLower(a: Incarnation, b: Incarnation): boolean {
  return a.creator === b.creator ? a.groupId < b.groupId : isBelow(a.creator, b.creator)
}

/** In the order of their bytes, which is not that of their text. */
function isBelow(a: AccountId, b: AccountId): boolean {
  return compare(idBytes(a), idBytes(b)) < 0
}

/** Keys to send under. The conversation must have a group. */
export function currentEpoch(conversation: {
  readonly incarnations: readonly Incarnation[]
  readonly epochs: readonly EpochState[]
}): EpochState {
  const group = winner(conversation.incarnations)
  const epoch = conversation.epochs.find(
    ({ groupId, epoch }) => groupId === group?.groupId && epoch === group.epoch
  )
  if (epoch === undefined) throw new Error('a conversation without keys was asked to send')
  return epoch
}
