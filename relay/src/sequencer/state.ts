// Which commit ended an epoch of a group: the first one that a member of that epoch asks for, for ever. Pure.
import { HASH_BYTES, KIB, MIB, ProtocolError, sequencer } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { BoxNumber } from '../box/box.ts'

/** Receipts kept of one group, each with its change: a member that slept through more is told by a new group. */
export const RECEIPTS_PER_GROUP_MAX = 64
/** Changes kept of one group: sixteen of the largest, all 64 of the usual 2 to 8 KiB. The newest always stays. */
export const BYTES_PER_GROUP_MAX = MIB
/** Groups begun by one account: ten years of three new ones a day. Each costs 250 bytes and its receipts. */
export const GROUPS_PER_ACCOUNT_MAX = 10_000
/** Changes kept of all groups that one account began: ten thousand with a usual one each. */
export const BYTES_PER_ACCOUNT_MAX = 64 * MIB
/** What a receipt costs beside its change: hashes, signature, key. */
const RECEIPT_COST_BYTES = KIB / 2

const NO_PARENT = new Uint8Array(0)

/** A receipt that is kept, and what it takes on disk together with its change. */
export interface KeptEpoch {
  readonly epoch: number
  readonly bytes: number
}

export interface SequencedGroup {
  /** Box of the account that began it and is billed for it. */
  readonly billedTo: BoxNumber
  /** Ascending, 1 to RECEIPTS_PER_GROUP_MAX. */
  readonly epochs: readonly KeptEpoch[]
  /** 32 bytes, hash of the receipt of the last of them. */
  readonly head: Uint8Array
  /** 32 bytes, hash of the proof that the next commit has to show. */
  readonly next: Uint8Array
}

/** What an account has at this sequencer. */
export interface SequencerUse {
  /** That it has begun. */
  readonly groups: number
  /** Kept of all of them. */
  readonly bytes: number
}

/** A receipt that this relay itself signed, for the epoch before the one asked for. */
export interface PreviousReceipt {
  /** 32 bytes */
  readonly hash: Uint8Array
  /** 32 bytes */
  readonly next: Uint8Array
}

export interface SequenceCase {
  readonly request: sequencer.SequenceRequest
  /** Undefined: no commit of this group was ever asked for. */
  readonly group: SequencedGroup | undefined
  /** 32 bytes, hash of the proof in the request. */
  readonly proofHash: Uint8Array
  /** 32 bytes, hash of the sealed change in the request. */
  readonly sealedHash: Uint8Array
  readonly previous: PreviousReceipt | undefined
  /** 32 bytes, public key of this relay. */
  readonly relay: Uint8Array
}

export type SequenceDecision =
  /** The epoch has a receipt already, of this commit or of another. */
  { readonly type: 'decided' } | { readonly type: 'append'; readonly receipt: sequencer.Receipt }

/**
 * Throws ProtocolError `conflict` when the group has passed this epoch without a receipt that is still kept, or is
 * not that far; `forbidden` when the asker is no member of the epoch.
 */
export function decideSequence(input: SequenceCase): SequenceDecision {
  const { request, group, relay, sealedHash } = input
  const { epoch, commit, next } = request
  if (isKept(group, epoch)) return { type: 'decided' }
  const parent = parentOf(input)
  const receipt = { group: request.group, epoch, parent, commit, relay, sealed: sealedHash, next }
  return { type: 'append', receipt }
}

function isKept(group: SequencedGroup | undefined, epoch: number): boolean {
  return group?.epochs.some((kept) => kept.epoch === epoch) === true
}

/** Of the receipt that this one follows, whose `next` the asker has to know the proof of. */
function parentOf({ request, group, previous, proofHash }: SequenceCase): Uint8Array {
  if (group === undefined) return previous?.hash ?? NO_PARENT
  const last = group.epochs.at(-1)?.epoch ?? -1
  if (request.epoch < last) throw new ProtocolError('conflict', 'epoch-passed')
  const own = request.epoch === last + 1 ? { hash: group.head, next: group.next } : undefined
  // A relay with an old backup learns from its own later receipts how far the group is.
  const known = [own, previous].filter((one) => one !== undefined)
  if (known.length === 0) throw new ProtocolError('conflict', 'epoch-ahead')
  const followed = known.find(({ next }) => equals(next, proofHash))
  if (followed === undefined) throw new ProtocolError('forbidden', 'not-a-member')
  return followed.hash
}

export interface NewReceipt {
  readonly epoch: number
  /** 32 bytes, the receipt's hash. */
  readonly head: Uint8Array
  readonly next: Uint8Array
  /** Of the sealed change. */
  readonly sealedBytes: number
  /** The asker, who is billed for a group that it begins. */
  readonly by: BoxNumber
}

export interface AfterReceipt {
  readonly group: SequencedGroup
  /** Of the account that the group is billed to. */
  readonly use: SequencerUse
  /** Epochs whose receipts are no longer kept. */
  readonly dropped: readonly number[]
}

/**
 * The group and its account after a receipt. The oldest make room in the group, and all but the new one when the
 * account is full. Throws ProtocolError `quota` when that is not enough, or the account has begun too many groups.
 */
export function withReceipt(
  group: SequencedGroup | undefined,
  use: SequencerUse,
  { epoch, head, next, sealedBytes, by }: NewReceipt
): AfterReceipt {
  if (group === undefined && use.groups >= GROUPS_PER_ACCOUNT_MAX) {
    throw new ProtocolError('quota', 'groups')
  }
  const before = group?.epochs ?? []
  const others = use.bytes - bytesOf(before)
  const roomBytes = Math.min(BYTES_PER_GROUP_MAX, BYTES_PER_ACCOUNT_MAX - others)
  const epochs = [...before, { epoch, bytes: sealedBytes + RECEIPT_COST_BYTES }]
  const dropped: number[] = []
  while (
    epochs.length > 1 &&
    (epochs.length > RECEIPTS_PER_GROUP_MAX || bytesOf(epochs) > roomBytes)
  ) {
    const oldest = epochs.shift()
    if (oldest !== undefined) dropped.push(oldest.epoch)
  }
  if (bytesOf(epochs) > roomBytes) throw new ProtocolError('quota', 'bytes')
  return {
    group: { billedTo: group?.billedTo ?? by, epochs, head, next },
    use: {
      groups: use.groups + (group === undefined ? 1 : 0),
      bytes: others + bytesOf(epochs)
    },
    dropped
  }
}

function bytesOf(epochs: readonly KeptEpoch[]): number {
  return epochs.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Throws ProtocolError `malformed` unless every field has its length. */
export function requireSequenceRequest(request: sequencer.SequenceRequest): void {
  const { commit, sealed, proof, next } = request
  requireDecidedRequest(request)
  if (commit.byteLength !== HASH_BYTES) throw new ProtocolError('malformed', 'commit')
  if (next.byteLength !== HASH_BYTES) throw new ProtocolError('malformed', 'next')
  if (proof.byteLength !== sequencer.PROOF_BYTES) throw new ProtocolError('malformed', 'proof')
  const isSealed = sealed.byteLength > 0 && sealed.byteLength <= sequencer.SEALED_CHANGE_BYTES_MAX
  if (!isSealed) throw new ProtocolError('malformed', 'sealed')
}

/** Throws ProtocolError `malformed` unless it names a group and an epoch. */
export function requireDecidedRequest({ group, epoch }: sequencer.DecidedRequest): void {
  if (group.byteLength !== HASH_BYTES) throw new ProtocolError('malformed', 'group')
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new ProtocolError('malformed', 'epoch')
}
