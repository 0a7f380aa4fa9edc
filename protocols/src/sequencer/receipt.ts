// What a receipt's signature and the link to the next receipt are made over. See README.md.
import { concat } from 'uint8arrays/concat'
import type { Sha256 } from '../checks.ts'
import { LABELS } from '../labels.ts'
import { KIB } from '../units.ts'

/** Largest encoded Receipt or SignedReceipt: group, parent, commit, relay and signature are 192 bytes. */
export const RECEIPT_BYTES_MAX = KIB

/** What the sequencer signs. `receipt`: an encoded Receipt. */
export function receiptToSign(receipt: Uint8Array): Uint8Array {
  return concat([LABELS.receipt, receipt])
}

/** `parent` of the receipt after this one, 32 bytes. `receipt`: an encoded Receipt. */
export function receiptHash(receipt: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(LABELS.receiptHash, receipt)
}
