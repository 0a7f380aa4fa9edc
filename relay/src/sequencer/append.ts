// sequencer/append: the receipt of the commit that ended an epoch, on disk before it is answered.
import type { Primitives, Write } from '@kith/node/kernel'
import { ProtocolError, sequencer } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import type { SequencerComponents } from './components.ts'
import {
  groupWrite,
  loadGroup,
  loadReceipt,
  loadUse,
  receiptDelete,
  receiptWrite,
  useWrite
} from './records.ts'
import { decideSequence, type SequencedGroup, withReceipt } from './state.ts'

/** One request of an account hosted here. */
export interface Sequencing {
  readonly request: sequencer.SequenceRequest
  /** Of the asking account. */
  readonly box: BoxNumber
}

/** The winner's receipt, and what must be on disk before anybody sees it: nothing when it is there already. */
export interface Sequenced {
  readonly signed: sequencer.SignedReceipt
  readonly writes: readonly Write[]
}

type Components = Pick<SequencerComponents, 'store' | 'primitives' | 'privateKey'>

/** Decides one request over what the store holds; nothing else may be deciding. Throws what `decideSequence` throws. */
export async function sequence(
  { request, box }: Sequencing,
  { store, primitives, privateKey }: Components
): Promise<Sequenced> {
  const { group: name, epoch } = request
  const group = await loadGroup(store, name)
  const groupsOfAccount = group === undefined ? await loadUse(store, box) : 0
  const relay = primitives.keyPair(privateKey).publicKey
  const decision = decideSequence({ request, group, groupsOfAccount, relay })
  if (decision.type === 'decided') return { signed: await decided(store, request), writes: [] }
  const signed = signReceipt(decision.receipt, privateKey, primitives)
  const head = sequencer.receiptHash(signed.receipt, primitives.sha256)
  const after = withReceipt(group, { epoch, head, billedTo: box })
  const writes = [groupWrite(name, after.group), receiptWrite(name, epoch, signed)]
  if (group === undefined) writes.push(useWrite(box, groupsOfAccount + 1))
  if (after.dropped !== undefined) writes.push(receiptDelete(name, after.dropped))
  return { signed, writes }
}
