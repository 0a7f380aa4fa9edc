// What a group's creator fixed for good: who created it, and what kind of conversation it is for. It sits in a
// GroupContext extension, which every member's key schedule depends on: nobody can change it or show a newcomer
// another one.
import { type AccountId, accountIdOf, HASH_BYTES, idBytes } from '@kith/protocols'
import type { Extension } from 'ts-mls'
import { concat } from 'uint8arrays/concat'
import { GroupCryptoError } from './group-crypto.ts'

/** Extension type for private use (RFC 9420 §17.3: 0xf000 to 0xffff). */
export const GROUP_EXTENSION = 0xf1c4

const VERSION = 1
/** A conversation whose epoch keys go to the accounts' vaults. A secret chat never passes for one. */
const KIND_ARCHIVED = 1
const FACTS_BYTES = 2 + HASH_BYTES

export interface GroupFacts {
  readonly creator: AccountId
}

/** version ‖ kind ‖ creator's account (32 bytes). */
export function encodeFacts({ creator }: GroupFacts): Extension {
  return {
    extensionType: GROUP_EXTENSION,
    extensionData: concat([Uint8Array.of(VERSION, KIND_ARCHIVED), idBytes(creator)])
  }
}

/**
 * The facts of a GroupContext.
 * @throws GroupCryptoError `policy` unless they are its only extension, in the known version and kind: external
 *   senders and required capabilities would widen what others may do
 */
export function decodeFacts(extensions: readonly Extension[]): GroupFacts {
  const [facts, ...others] = extensions
  const data = facts?.extensionData
  if (
    others.length > 0 ||
    facts?.extensionType !== GROUP_EXTENSION ||
    data?.byteLength !== FACTS_BYTES ||
    data[0] !== VERSION ||
    data[1] !== KIND_ARCHIVED
  ) {
    throw new GroupCryptoError('policy', 'a group of an unknown kind')
  }
  return { creator: accountIdOf(data.subarray(2)) }
}
