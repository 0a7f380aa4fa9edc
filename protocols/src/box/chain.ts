// The hash chain of a box: every home relay numbers and chains the entries of its own log, and devices compute
// the same chain to see that nothing was dropped, inserted or renumbered. Bodies are not part of it, so that
// they can be erased. See README.md.
import { uint64Bytes } from '../bytes.ts'
import type { Sha256 } from '../checks.ts'
import { LABELS } from '../labels.ts'

/**
 * 32 bytes, the value at number 0. `storeEpoch`: 16 bytes; `account`: 32 bytes. A new store epoch or another
 * box therefore never continues an old chain.
 */
export function chainStart(
  storeEpoch: Uint8Array,
  account: Uint8Array,
  sha256: Sha256
): Uint8Array {
  return sha256(LABELS.boxChainStart, storeEpoch, account)
}

/** 32 bytes, the value at `number` (from 1). `previous` and `envelopeId`: 32 bytes. */
export function chainNext(
  previous: Uint8Array,
  number: number,
  envelopeId: Uint8Array,
  sha256: Sha256
): Uint8Array {
  return sha256(LABELS.boxChain, previous, uint64Bytes(number), envelopeId)
}
