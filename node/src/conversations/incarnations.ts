// Direct chats: one conversation, possibly several MLS groups of it when both sides began at once. All stay
// readable; everyone sends in the same one: of those that can go on, the lower creator account wins, then the lower
// group id.
import { type AccountId, direct } from '@kith/protocols'
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
  /** The sequencer's for the commit that began it, if this device followed one. Kept: another is proof against it. */
  readonly receipt?: Uint8Array
}

/** One MLS group of the conversation; a direct chat may have several when both sides began at once. */
export interface Incarnation {
  /** Hex of the MLS group id. */
  readonly groupId: string
  readonly creator: AccountId
  readonly epoch: number
  /** Encoded group state. */
  readonly state: Uint8Array
  /** Nobody can follow the change that its sequencer put first: it is read on, and nothing is begun in it. */
  readonly isOver?: true
}

/** The incarnation that everyone sends in. */
function winner(incarnations: readonly Incarnation[]): Incarnation | undefined {
  const living = incarnations.filter(({ isOver }) => isOver !== true)
  return (living.length > 0 ? living : incarnations).reduce<Incarnation | undefined>(
    (best, next) => (best === undefined || isLower(next, best) ? next : best),
    undefined
  )
}

function isLower(a: Incarnation, b: Incarnation): boolean {
  return a.creator === b.creator
    ? a.groupId < b.groupId
    : direct.isAccountBelow(a.creator, b.creator)
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

/** Whether the conversation had groups and has none to go on with: one is begun whether something waits or not. */
export function beginsAnew(conversation: {
  readonly phase: string
  readonly incarnations: readonly Incarnation[]
}): boolean {
  return conversation.phase === 'new' && conversation.incarnations.length > 0
}
