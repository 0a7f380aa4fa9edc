// Receipts of a group's sequencer: what is asked for, and whether an answer is one. The sequencer learns a hash of
// the group's id and nothing of its members.
import {
  decodeBounded,
  KIB,
  LABELS,
  ProtocolError,
  publicKeyOf,
  type RelayId,
  sequencer
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import type { Primitives } from '../kernel/primitives.ts'

/** A receipt with its signature is about 250 bytes. */
const RECEIPT_BYTES_MAX = KIB

/** Asks that this commit end the epoch that the group is in. */
export function sequenceRequest(
  { groupId, epoch }: { readonly groupId: string; readonly epoch: number },
  commit: Uint8Array,
  { sha256 }: Primitives
): sequencer.SequenceRequest {
  return {
    group: sha256(LABELS.sequencedGroup, fromString(groupId, 'base16')),
    epoch,
    parent: new Uint8Array(0),
    commit: sha256(LABELS.sequencedCommit, commit)
  }
}

/** Throws ProtocolError `malformed` unless the bytes are a signed receipt. */
export function decodeReceipt(bytes: Uint8Array): sequencer.SignedReceipt {
  return decodeBounded(sequencer.SignedReceipt, bytes, RECEIPT_BYTES_MAX)
}

/**
 * Whether the commit asked for won. Throws ProtocolError `forbidden` unless the relay signed a receipt for this
 * group and epoch.
 */
export function readReceipt(
  signed: sequencer.SignedReceipt,
  { relay, request }: { relay: RelayId; request: sequencer.SequenceRequest },
  { verify }: Primitives
): boolean {
  const receipt = decodeBounded(sequencer.Receipt, signed.receipt, RECEIPT_BYTES_MAX)
  const message = concat([LABELS.receipt, signed.receipt])
  const isOfGroup = equals(receipt.group, request.group) && receipt.epoch === request.epoch
  if (!isOfGroup || !verify(publicKeyOf(relay), message, signed.signature)) {
    throw new ProtocolError('forbidden', 'a receipt that its sequencer did not give')
  }
  return equals(receipt.commit, request.commit)
}
