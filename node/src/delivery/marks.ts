// Duplicate marks: which messages this device has, and how deep each stands. Written in the transaction of the
// message itself, looked up before anything is shown.
import { idBytes, type MessageId } from '@kith/protocols'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'
import type { Write } from '../kernel/store/store.ts'
import { PREFIX } from './records.ts'

export class Marks {
  readonly #store: SealedStore

  constructor(store: SealedStore) {
    this.#store = store
  }

  write(id: MessageId, depth: number): Write {
    return { type: 'put', key: this.#key(id), value: encodeRecord(depth) }
  }

  /** Depths of those this device has, undefined for the others, in the order asked. */
  async depths(ids: readonly MessageId[]): Promise<readonly (number | undefined)[]> {
    const values = await this.#store.getMany(ids.map((id) => this.#key(id)))
    return values.map((value) => (value === undefined ? undefined : decodeRecord<number>(value)))
  }

  #key(id: MessageId): Uint8Array {
    return this.#store.opaqueKey(PREFIX.mark, idBytes(id))
  }
}
