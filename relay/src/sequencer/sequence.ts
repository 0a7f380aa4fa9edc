// One decision of the sequencer over what the store holds: the receipt, and what must be on disk before anybody
// sees it.
import { StoreError, type Write } from '@kith/node/kernel'
import { sequencer } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import type { SequencerComponents } from './components.ts'
import {
  groupWrite,
  loadGroup,
  loadReceipt,
  loadUse,
  receiptDelete,
  receiptWrite,
  type SequencerReader,
  useWrite
} from './records.ts'
import { decideSequence, withReceipt } from './state.ts'

/** One request of an account hosted here. */
export interface Sequencing {
  readonly request: sequencer.SequenceRequest
  /** Of the asking account. */
  readonly box: BoxNumber
}

/** The winner's receipt, and what it stands on: nothing new when it was decided before. */
export interface Sequenced {
  readonly signed: sequencer.SignedReceipt
  readonly writes: readonly Write[]
}

/** Nothing else may be deciding over the same store meanwhile. Throws what `decideSequence` throws. */
export async function sequence(
  { request, box }: Sequencing,
  store: SequencerReader,
  { primitives, keys }: Pick<SequencerComponents, 'primitives' | 'keys'>
): Promise<Sequenced> {
  const { group: name, epoch } = request
  const group = await loadGroup(store, name)
  const groupsOfAccount = group === undefined ? await loadUse(store, box) : 0
  const decision = decideSequence({ request, group, groupsOfAccount, relay: keys.publicKey })
  if (decision.type === 'decided') {
    const signed = await loadReceipt(store, name, epoch)
    if (signed === undefined) throw new StoreError('corrupt', 'A receipt of a group is missing.')
    return { signed, writes: [] }
  }
  const receipt = sequencer.Receipt.encode(decision.receipt)
  const message = sequencer.receiptToSign(receipt)
  const signed = { receipt, signature: primitives.sign(keys.privateKey, message) }
  const head = sequencer.receiptHash(receipt, primitives.sha256)
  const after = withReceipt(group, { epoch, head, billedTo: box })
  const writes = [groupWrite(name, after.group), receiptWrite(name, epoch, signed)]
  if (group === undefined) writes.push(useWrite(box, groupsOfAccount + 1))
  if (after.dropped !== undefined) writes.push(receiptDelete(name, after.dropped))
  return { signed, writes }
}
