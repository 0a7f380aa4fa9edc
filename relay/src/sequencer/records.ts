// The sequencer's records. Group: billed box, head and next (32 bytes each), count of epochs, epochs with the bytes
// they take. Receipt, under group and epoch: the SignedReceipt as it was answered, then the sealed change. Use,
// under box: groups begun by the account, and bytes kept of them.
import type { Write } from '@kith/node/kernel'
import { HASH_BYTES, sequencer } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { SequencedGroup, SequencerUse } from './state.ts'

/** The store, or the store under writes that are on their way to it. */
export type SequencerReader = Pick<StoreReader, 'get'>

/** What whoever asks for a decided epoch is answered with. */
export interface Decided {
  readonly receipt: sequencer.SignedReceipt
  /** The winner's change, as it sealed it. */
  readonly sealed: Uint8Array
}

const groupKey = (group: Uint8Array): Uint8Array => key(TABLE.sequencedGroup, group)
const receiptKey = (group: Uint8Array, epoch: number): Uint8Array =>
  key(TABLE.receipt, group, epoch)
const useKey = (box: BoxNumber): Uint8Array => key(TABLE.sequencerUse, box)

/** The record of a group. `name`: 32 bytes. */
export function groupWrite(name: Uint8Array, group: SequencedGroup): Write {
  const { billedTo, head, next, epochs } = group
  const record = new FieldWriter().varint(billedTo).fixed(head).fixed(next).varint(epochs.length)
  for (const { epoch, bytes } of epochs) record.varint(epoch).varint(bytes)
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
  const next = reader.copy(HASH_BYTES)
  const epochs = Array.from({ length: reader.varint() }, () => ({
    epoch: reader.varint(),
    bytes: reader.varint()
  }))
  return { billedTo, head, next, epochs }
}

/** The record of a receipt with the change it is for. `group`: 32 bytes. */
export function receiptWrite(group: Uint8Array, epoch: number, decided: Decided): Write {
  const { receipt, sealed } = decided
  const value = new FieldWriter()
    .sized(sequencer.SignedReceipt.encode(receipt))
    .fixed(sealed)
    .finish()
  return { type: 'put', key: receiptKey(group, epoch), value }
}

/** Forgets a receipt and its change. */
export function receiptDelete(group: Uint8Array, epoch: number): Write {
  return { type: 'delete', key: receiptKey(group, epoch) }
}

/** What ended an epoch, if it is kept. */
export async function loadDecided(
  store: SequencerReader,
  group: Uint8Array,
  epoch: number
): Promise<Decided | undefined> {
  const record = await store.get(receiptKey(group, epoch))
  if (record === undefined) return undefined
  const reader = new FieldReader(record)
  const receipt = sequencer.SignedReceipt.decode(reader.sized())
  return { receipt, sealed: reader.rest() }
}

/** The record of what an account has. */
export function useWrite(box: BoxNumber, { groups, bytes }: SequencerUse): Write {
  const value = new FieldWriter().varint(groups).varint(bytes).finish()
  return { type: 'put', key: useKey(box), value }
}

/** What an account has. */
export async function loadUse(store: SequencerReader, box: BoxNumber): Promise<SequencerUse> {
  const record = await store.get(useKey(box))
  if (record === undefined) return { groups: 0, bytes: 0 }
  const reader = new FieldReader(record)
  return { groups: reader.varint(), bytes: reader.varint() }
}
