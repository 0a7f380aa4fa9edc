// The order of a conversation that every device agrees on: (depth, message id). Depth is one more than the
// deepest message its author had seen, so causes come before effects; wall clocks play no part.
import { envelope, idBytes, type MessageId } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { u48 } from '../kernel/store/key.ts'

/** A message nobody has named yet, as far as this device knows. */
export interface Head {
  readonly id: MessageId
  readonly depth: number
}

/**
 * Depth is bounded so that one member cannot push the conversation to the end of the numbers: a message may be
 * at most this much deeper than anything known. Larger would let a few hostile messages exhaust 48 bits;
 * smaller would refuse an honest message whose causes are still on their way.
 */
export const DEPTH_LEAP_MAX = 1_000_000

/** Heads after a message: those it names go, it comes; the deepest `HEADS_MAX` stay. */
export function advanceHeads(
  heads: readonly Head[],
  message: Head,
  named: readonly MessageId[]
): readonly Head[] {
  const kept = heads.filter(({ id }) => id !== message.id && !named.includes(id))
  const next = [...kept, message].sort((a, b) => b.depth - a.depth || (a.id < b.id ? -1 : 1))
  return next.slice(0, envelope.HEADS_MAX)
}

/** Depth of a message that names these heads. */
export function depthAfter(heads: readonly Head[]): number {
  return 1 + heads.reduce((deepest, { depth }) => Math.max(deepest, depth), 0)
}

/**
 * Whether a claimed depth agrees with the depths of the named heads (undefined: not held here). With every head
 * known it must be exact; with some unknown it must not be smaller than the known ones demand.
 */
export function depthHolds(
  claimed: number,
  headDepths: readonly (number | undefined)[],
  deepestKnown: number
): boolean {
  if (!Number.isSafeInteger(claimed) || claimed < 1) return false
  const known = headDepths.filter((depth) => depth !== undefined)
  const least = 1 + Math.max(0, ...known)
  if (known.length === headDepths.length) return claimed === least
  return claimed >= least && claimed <= deepestKnown + DEPTH_LEAP_MAX
}

/** Of the id in an order key: enough that no two messages of a conversation share them. */
const ID_BYTES = 16
/** 48 bits of depth and the beginning of the id. */
export const ORDER_KEY_BYTES = 6 + ID_BYTES

/** 22 bytes that sort as (depth, id). */
export function orderKey(depth: number, id: MessageId): Uint8Array {
  return concat([u48(depth), idBytes(id).subarray(0, ID_BYTES)])
}
