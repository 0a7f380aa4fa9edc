// When two statements of a relay cannot both be true: whoever has them can tell, with nothing but the relay's id.
import {
  box,
  decodeBounded,
  direct,
  KIB,
  LABELS,
  ProtocolError,
  publicKeyOf,
  type RelayId,
  relayIdOf,
  sequencer
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import type { Primitives } from '../kernel/primitives.ts'
import type { Evidence } from './evidence.ts'

const RECEIPT_BYTES_MAX = KIB

/** Whether the relay signed both statements and they contradict each other. Bytes of anybody's making are just no proof. */
export function convicts(
  { relay, kind, statements: [one, other] }: Omit<Evidence, 'atMs'>,
  primitives: Primitives
): boolean {
  if (kind === 'receipts') return contradictingReceipts(one, other, primitives) === relay
  const [a, b] = [openHead(one, relay, primitives), openHead(other, relay, primitives)]
  return a !== undefined && b !== undefined && headsContradict(a, b)
}

/** A head that the relay signed, whatever store epoch it names; else undefined. */
export function openHead(
  bytes: Uint8Array,
  relay: RelayId,
  primitives: Primitives
): Vouched | undefined {
  try {
    const signed = decodeBounded(box.SignedHead, bytes, direct.HEAD_BYTES_MAX)
    const claimed = decodeBounded(
      box.Commit,
      signed.commit?.commit ?? NOTHING,
      direct.HEAD_BYTES_MAX
    )
    const key = publicKeyOf(relay)
    const commit = box.openSignedHead(signed, key, claimed.storeEpoch, primitives)
    return commit && { signed, commit }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const NOTHING = new Uint8Array(0)

export interface Vouched {
  readonly signed: box.SignedHead
  readonly commit: box.Commit
}

/** Two heads of one box and store epoch: one number has one chain value, and later commits never lead back. */
export function headsContradict(a: Vouched, b: Vouched): boolean {
  const [one, other] = [a.signed.head, b.signed.head]
  if (one === undefined || other === undefined || !equals(one.box, other.box)) return false
  if (!equals(a.commit.storeEpoch, b.commit.storeEpoch)) return false
  if (one.number === other.number) return !equals(one.chain, other.chain)
  const [lower, higher] = one.number < other.number ? [a, b] : [b, a]
  return lower.commit.sequence >= higher.commit.sequence
}

/** The relay that signed both receipts, for one epoch of one group and different commits; else undefined. */
export function contradictingReceipts(
  one: Uint8Array,
  other: Uint8Array,
  primitives: Primitives
): RelayId | undefined {
  try {
    const [a, b] = [openReceipt(one, primitives), openReceipt(other, primitives)]
    const isOfOne = equals(a.relay, b.relay) && equals(a.group, b.group) && a.epoch === b.epoch
    return isOfOne && !equals(a.commit, b.commit) ? relayIdOf(a.relay) : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function openReceipt(bytes: Uint8Array, { verify }: Primitives): sequencer.Receipt {
  const signed = decodeBounded(sequencer.SignedReceipt, bytes, RECEIPT_BYTES_MAX)
  const receipt = decodeBounded(sequencer.Receipt, signed.receipt, RECEIPT_BYTES_MAX)
  if (!verify(receipt.relay, concat([LABELS.receipt, signed.receipt]), signed.signature)) {
    throw new ProtocolError('forbidden', 'a receipt that nobody gave')
  }
  return receipt
}
