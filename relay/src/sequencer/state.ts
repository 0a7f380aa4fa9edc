// Which commit ended an epoch of a group: the first one asked for, for ever. Pure.
import { HASH_BYTES, ProtocolError, type sequencer } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { BoxNumber } from '../box/box.ts'

/** Receipts kept of one group: a member that slept through more commits is added anew. */
export const RECEIPTS_PER_GROUP_MAX = 64
/** Groups begun by one account: ten years of three new ones a day. Each costs 250 bytes and its receipts. */
export const GROUPS_PER_ACCOUNT_MAX = 10_000

const NO_PARENT = new Uint8Array(0)

export interface SequencedGroup {
  /** Box of the account that began it and is billed for it. */
  readonly billedTo: BoxNumber
  /** Epochs whose receipts are kept: ascending, 1 to RECEIPTS_PER_GROUP_MAX. */
  readonly epochs: readonly number[]
  /** 32 bytes, hash of the receipt of the last of them. */
  readonly head: Uint8Array
}

export interface SequenceCase {
  readonly request: sequencer.SequenceRequest
  /** Undefined: no commit of this group was ever asked for. */
  readonly group: SequencedGroup | undefined
  /** Groups that the asking account has begun. */
  readonly groupsOfAccount: number
  /** 32 bytes, public key of this relay. */
  readonly relay: Uint8Array
}

export type SequenceDecision =
  /** The epoch has a receipt already, of this commit or of another. */
  { readonly type: 'decided' } | { readonly type: 'append'; readonly receipt: sequencer.Receipt }

/**
 * Throws ProtocolError `conflict` when the group has passed this epoch without a receipt that is still kept, or
 * when the parent named is not the last receipt; `quota` when the account has begun too many groups.
 */
export function decideSequence(input: SequenceCase): SequenceDecision {
  const { request, group, relay } = input
  const { epoch, commit } = request
  if (group?.epochs.includes(epoch) === true) return { type: 'decided' }
  const last = group?.epochs[group.epochs.length - 1] ?? -1
  if (epoch < last) throw new ProtocolError('conflict', 'epoch-passed')
  const parent = group?.head ?? NO_PARENT
  if (request.parent.byteLength > 0 && !equals(request.parent, parent)) {
    throw new ProtocolError('conflict', 'parent')
  }
  if (group === undefined && input.groupsOfAccount >= GROUPS_PER_ACCOUNT_MAX) {
    throw new ProtocolError('quota', 'groups')
  }
  return { type: 'append', receipt: { group: request.group, epoch, parent, commit, relay } }
}

/** The group after a receipt, and the epoch whose receipt is no longer kept, if any. `head`: the receipt's hash. */
export function withReceipt(
  group: SequencedGroup | undefined,
  receipt: { readonly epoch: number; readonly head: Uint8Array; readonly billedTo: BoxNumber }
): { readonly group: SequencedGroup; readonly dropped: number | undefined } {
  const epochs = [...(group?.epochs ?? []), receipt.epoch]
  const dropped = epochs.length > RECEIPTS_PER_GROUP_MAX ? epochs.shift() : undefined
  const billedTo = group?.billedTo ?? receipt.billedTo
  return { group: { billedTo, epochs, head: receipt.head }, dropped }
}

/** Throws ProtocolError `malformed` unless every field has its length. */
export function requireSequenceRequest(request: sequencer.SequenceRequest): void {
  const { group, epoch, parent, commit } = request
  if (group.byteLength !== HASH_BYTES) throw new ProtocolError('malformed', 'group')
  if (commit.byteLength !== HASH_BYTES) throw new ProtocolError('malformed', 'commit')
  const isParent = parent.byteLength === 0 || parent.byteLength === HASH_BYTES
  if (!isParent) throw new ProtocolError('malformed', 'parent')
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new ProtocolError('malformed', 'epoch')
}
