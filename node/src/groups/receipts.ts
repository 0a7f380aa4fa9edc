// Receipts of a group's sequencer: what is asked for, and whether an answer is one. The sequencer learns a hash of
// the group's id and nothing of its members.
import {
  decodeBounded,
  LABELS,
  ProtocolError,
  publicKeyOf,
  type RelayId,
  sequencer
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import type { Primitives } from '../kernel/primitives.ts'

const NOTHING = new Uint8Array(0)

interface EpochName {
  /** Hex of the MLS group id. */
  readonly groupId: string
  readonly epoch: number
}

interface EpochKey {
  /** 32 bytes */
  readonly archiveKey: Uint8Array
}

export interface ToSequence {
  /** The epoch that the commit ends, and the one that it begins. */
  readonly ended: EpochName & EpochKey
  readonly begun: EpochKey
  readonly commit: Uint8Array
  /** The change as others will find it. */
  readonly sealed: Uint8Array
  /** Encoded receipt for the commit that began the ended epoch, if this device followed one. */
  readonly previous: Uint8Array | undefined
}

/** 32 bytes that name a group to its sequencer. */
export function sequencedGroup(groupId: string, { sha256 }: Primitives): Uint8Array {
  return sha256(LABELS.sequencedGroup, fromString(groupId, 'base16'))
}

/** 32 bytes that name a commit in its receipt. */
export function sequencedCommit(commit: Uint8Array, { sha256 }: Primitives): Uint8Array {
  return sha256(LABELS.sequencedCommit, commit)
}

/** Asks that this commit end its epoch. */
export function sequenceRequest(
  { ended, begun, commit, sealed, previous }: ToSequence,
  primitives: Primitives
): sequencer.SequenceRequest {
  return {
    group: sequencedGroup(ended.groupId, primitives),
    epoch: ended.epoch,
    commit: sequencedCommit(commit, primitives),
    sealed,
    proof: proofOf(ended, primitives),
    next: nextOf(begun, primitives),
    previous: previous ?? NOTHING
  }
}

/** 32 bytes that show the sequencer that whoever asks was in this epoch: who was removed before it cannot know them. */
function proofOf({ archiveKey }: EpochKey, { hkdf }: Primitives): Uint8Array {
  return hkdf(archiveKey, NOTHING, LABELS.sequencerProof, sequencer.PROOF_BYTES)
}

/** What the receipt that begins this epoch has to say of the commit after it. */
export function nextOf(begun: EpochKey, primitives: Primitives): Uint8Array {
  return sequencer.proofHash(proofOf(begun, primitives), primitives.sha256)
}

/** Throws ProtocolError `malformed` unless the bytes are a signed receipt. */
export function decodeReceipt(bytes: Uint8Array): sequencer.SignedReceipt {
  return decodeBounded(sequencer.SignedReceipt, bytes, sequencer.RECEIPT_BYTES_MAX)
}

/**
 * What the relay signed. Throws ProtocolError `forbidden` unless that is a receipt for this group and epoch,
 * `malformed` unless it is one at all.
 */
export function readReceipt(
  signed: sequencer.SignedReceipt,
  { relay, ended }: { relay: RelayId; ended: EpochName },
  primitives: Primitives
): sequencer.Receipt {
  const receipt = decodeBounded(sequencer.Receipt, signed.receipt, sequencer.RECEIPT_BYTES_MAX)
  const message = sequencer.receiptToSign(signed.receipt)
  const isOfGroup =
    equals(receipt.group, sequencedGroup(ended.groupId, primitives)) &&
    receipt.epoch === ended.epoch
  if (!isOfGroup || !primitives.verify(publicKeyOf(relay), message, signed.signature)) {
    throw new ProtocolError('forbidden', 'a receipt that its sequencer did not give')
  }
  return receipt
}
