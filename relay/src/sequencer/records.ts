// The sequencer's records. Group: billed box, head (32 bytes), count of epochs, epochs. Receipt, under group and
// epoch: the SignedReceipt as it was answered. Use, under box: groups begun by the account.
import type { Write } from '@kith/node/kernel'
import { HASH_BYTES, sequencer } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { SequencedGroup } from './state.ts'

/** The store, or the store under writes that are on their way to it. */
export type SequencerReader = Pick<StoreReader, 'get'>

const groupKey = (group: Uint8Array): Uint8Array => key(TABLE.sequencedGroup, group)
const receiptKey = (group: Uint8Array, epoch: number): Uint8Array =>
  key(TABLE.receipt, group, epoch)
const useKey = (box: BoxNumber): Uint8Array => key(TABLE.sequencerUse, box)

/** The record of a group. `name`: 32 bytes. */
export function groupWrite(name: Uint8Array, { billedTo, head, epochs }: SequencedGroup): Write {
  const record = new FieldWriter().varint(billedTo).fixed(head).varint(epochs.length)
  for (const epoch of epochs) record.varint(epoch)
  return { type: 'put', key: groupKey(name), value: record.finish() }
}

/** The group, or undefined when none of its commits was ever asked for. */
export async function loadGroup(
  store: SequencerReader,
  name: Uint8Array
): Promise<SequencedGroup | undefined> {
  const record = await store.get(groupKey(name))
  if (record === undefined) return undefined
  const reader = new FieldReader(record)
  const billedTo = reader.varint()
  const head = reader.copy(HASH_BYTES)
  const epochs = Array.from({ length: reader.varint() }, () => reader.varint())
  return { billedTo, head, epochs }
}

/** The record of a receipt. `group`: 32 bytes. */
export function receiptWrite(
  group: Uint8Array,
  epoch: number,
  signed: sequencer.SignedReceipt
): Write {
  const value = new FieldWriter().fixed(sequencer.SignedReceipt.encode(signed)).finish()
  return { type: 'put', key: receiptKey(group, epoch), value }
}

/** Forgets a receipt. */
export function receiptDelete(group: Uint8Array, epoch: number): Write {
  return { type: 'delete', key: receiptKey(group, epoch) }
}

/** The receipt of an epoch, if it is kept. */
export async function loadReceipt(
  store: SequencerReader,
  group: Uint8Array,
  epoch: number
): Promise<sequencer.SignedReceipt | undefined> {
  const record = await store.get(receiptKey(group, epoch))
  return record && sequencer.SignedReceipt.decode(new FieldReader(record).rest())
}

/** The record of how many groups an account has begun. */
export function useWrite(box: BoxNumber, groups: number): Write {
  return { type: 'put', key: useKey(box), value: new FieldWriter().varint(groups).finish() }
}

/** Groups that an account has begun. */
export async function loadUse(store: SequencerReader, box: BoxNumber): Promise<number> {
  const record = await store.get(useKey(box))
  return record === undefined ? 0 : new FieldReader(record).varint()
}
