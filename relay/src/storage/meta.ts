// What the relay knows about its own store: the store epoch, made once when the store is made, and the
// number of group commits since then.
import type { Random, Store, Write } from '@kith/node/kernel'
import { box } from '@kith/protocols'
import { FieldReader, FieldWriter } from './fields.ts'
import { key, TABLE } from './keys.ts'

const EPOCH_KEY = key(TABLE.meta, 1)
const SEQUENCE_KEY = key(TABLE.meta, 2)

export interface Meta {
  /** 16 bytes */
  readonly storeEpoch: Uint8Array
  /** Number of the last group commit on disk; 0 before the first. */
  readonly sequence: number
}

/** Reads both, making a store epoch in an empty store. */
export async function openMeta(store: Store, random: Random): Promise<Meta> {
  const [epoch, sequence] = await store.getMany([EPOCH_KEY, SEQUENCE_KEY])
  if (epoch !== undefined) {
    return {
      storeEpoch: new FieldReader(epoch).fixed(box.STORE_EPOCH_BYTES),
      sequence: sequence === undefined ? 0 : new FieldReader(sequence).varint()
    }
  }
  const storeEpoch = random.bytes(box.STORE_EPOCH_BYTES)
  await store.commit([
    { type: 'put', key: EPOCH_KEY, value: new FieldWriter().fixed(storeEpoch).finish() }
  ])
  return { storeEpoch, sequence: 0 }
}

/** The writes that make a store another life of itself. */
export function metaWrites({ storeEpoch, sequence }: Meta): readonly Write[] {
  const epoch = new FieldWriter().fixed(storeEpoch).finish()
  return [{ type: 'put', key: EPOCH_KEY, value: epoch }, sequenceWrite(sequence)]
}

/** The write that records a group commit's number. */
export function sequenceWrite(sequence: number): Write {
  return { type: 'put', key: SEQUENCE_KEY, value: new FieldWriter().varint(sequence).finish() }
}
