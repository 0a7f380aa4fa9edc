// One decision of the sequencer over what the store holds: the receipt with the change it is for, and what must be
// on disk before anybody sees either.
import { StoreError, type Write } from '@kith/node/kernel'
import { decodeBounded, ProtocolError, sequencer } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { BoxNumber } from '../box/box.ts'
import type { SequencerComponents } from './components.ts'
import {
  type Decided,
  groupWrite,
  loadDecided,
  loadGroup,
  loadUse,
  receiptDelete,
  receiptWrite,
  type SequencerReader,
  useWrite
} from './records.ts'
import { decideSequence, type PreviousReceipt, withReceipt } from './state.ts'

/** One request of an account hosted here. */
export interface Sequencing {
  readonly request: sequencer.SequenceRequest
  /** Of the asking account. */
  readonly box: BoxNumber
}

/** What ended the epoch, and what it stands on: nothing new when it was decided before. */
export interface Sequenced {
  readonly decided: Decided
  readonly writes: readonly Write[]
}

type Tools = Pick<SequencerComponents, 'primitives' | 'keys'>

/** Nothing else may be deciding over the same store meanwhile. Throws what `decideSequence` and `withReceipt` throw. */
export async function sequence(
  { request, box }: Sequencing,
  store: SequencerReader,
  { primitives, keys }: Tools
): Promise<Sequenced> {
  const { group: name, epoch, sealed } = request
  const { sha256 } = primitives
  const group = await loadGroup(store, name)
  const decision = decideSequence({
    request,
    group,
    proofHash: sequencer.proofHash(request.proof, sha256),
    sealedHash: sequencer.sealedChangeHash(sealed, sha256),
    previous: previousOf(request, { primitives, keys }),
    relay: keys.publicKey
  })
  if (decision.type === 'decided') {
    const decided = await loadDecided(store, name, epoch)
    if (decided === undefined) throw new StoreError('corrupt', 'A receipt of a group is missing.')
    return { decided, writes: [] }
  }
  const receipt = sequencer.Receipt.encode(decision.receipt)
  const signature = primitives.sign(keys.privateKey, sequencer.receiptToSign(receipt))
  const decided = { receipt: { receipt, signature }, sealed }
  const billedTo = group?.billedTo ?? box
  const after = withReceipt(group, await loadUse(store, billedTo), {
    epoch,
    head: sequencer.receiptHash(receipt, sha256),
    next: request.next,
    sealedBytes: sealed.byteLength,
    by: box
  })
  const writes = [
    groupWrite(name, after.group),
    receiptWrite(name, epoch, decided),
    useWrite(billedTo, after.use),
    ...after.dropped.map((one) => receiptDelete(name, one))
  ]
  return { decided, writes }
}

/** The receipt that the request rests on, if this relay signed it for the epoch before. */
function previousOf(
  { group, epoch, previous }: sequencer.SequenceRequest,
  { primitives, keys }: Tools
): PreviousReceipt | undefined {
  if (previous.byteLength === 0) return undefined
  const max = sequencer.RECEIPT_BYTES_MAX
  const { receipt, signature } = decodeBounded(sequencer.SignedReceipt, previous, max)
  const fields = decodeBounded(sequencer.Receipt, receipt, max)
  const isOfGroup = equals(fields.group, group) && fields.epoch === epoch - 1
  const message = sequencer.receiptToSign(receipt)
  if (!isOfGroup || !primitives.verify(keys.publicKey, message, signature)) {
    throw new ProtocolError('malformed', 'previous')
  }
  return { hash: sequencer.receiptHash(receipt, primitives.sha256), next: fields.next }
}
