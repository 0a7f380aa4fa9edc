// What a receipt's signature and the links between receipts are made over. See README.md.
import { concat } from 'uint8arrays/concat'
import type { Sha256 } from '../checks.ts'
import { LABELS } from '../labels.ts'
import { KIB } from '../units.ts'

/** Largest encoded Receipt or SignedReceipt: six hashes and a signature are 256 bytes. */
export const RECEIPT_BYTES_MAX = KIB
/** Of a proof of membership. */
export const PROOF_BYTES = 32
/** What a winner leaves for the others: what fits an envelope, as its commit has to. */
export const SEALED_CHANGE_BYTES_MAX = 64 * KIB

/** What the sequencer signs. `receipt`: an encoded Receipt. */
export function receiptToSign(receipt: Uint8Array): Uint8Array {
  return concat([LABELS.receipt, receipt])
}

/** `parent` of the receipt after this one, 32 bytes. `receipt`: an encoded Receipt. */
export function receiptHash(receipt: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(LABELS.receiptHash, receipt)
}

/** `sealed` of a receipt, 32 bytes. */
export function sealedChangeHash(sealed: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(LABELS.sequencedSealed, sealed)
}

/** `next` of a receipt, 32 bytes: the proof itself is shown only with the commit after it. */
export function proofHash(proof: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(LABELS.sequencerProofHash, proof)
}
