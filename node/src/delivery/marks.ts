// Duplicate marks: which messages this device has, and how deep each stands. Written in the transaction of the
// message itself, looked up before anything is shown.
import { idBytes, type MessageId } from '@kith/protocols'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'
import type { Write } from '../kernel/store/store.ts'
import { PREFIX } from './records.ts'

/**
 * Marks kept in memory, the latest: what a message names was mostly said a moment ago, and what came directly comes by
 * the relay a moment later. About 150 bytes each; fewer only means that the disk is asked.
 */
const RECENT_MAX = 4_096

export class Marks {
  readonly #store: SealedStore
  readonly #recent = new Map<MessageId, number>()

  constructor(store: SealedStore) {
    this.#store = store
  }

  /** The write that marks a message; from now on it counts as had, so it must be committed before the next opening. */
  write(id: MessageId, depth: number): Write {
    this.#remember(id, depth)
    return { type: 'put', key: this.#key(id), value: encodeRecord(depth) }
  }

  /** Depth of a message that was marked lately; undefined says nothing. */
  recent(id: MessageId): number | undefined {
    return this.#recent.get(id)
  }

  /** Depths of those this device has, undefined for the others, in the order asked. */
  async depths(ids: readonly MessageId[]): Promise<readonly (number | undefined)[]> {
    const unsure = ids.filter((id) => !this.#recent.has(id))
    if (unsure.length === 0) return ids.map((id) => this.#recent.get(id))
    const values = await this.#store.getMany(unsure.map((id) => this.#key(id)))
    const found = new Map<MessageId, number>()
    for (const [index, value] of values.entries()) {
      if (value !== undefined) found.set(unsure[index] as MessageId, decodeRecord<number>(value))
    }
    return ids.map((id) => this.#recent.get(id) ?? found.get(id))
  }

  #remember(id: MessageId, depth: number): void {
    const [oldest] = this.#recent.keys()
    if (this.#recent.size >= RECENT_MAX && oldest !== undefined) this.#recent.delete(oldest)
    this.#recent.set(id, depth)
  }

  #key(id: MessageId): Uint8Array {
    return this.#store.opaqueKey(PREFIX.mark, idBytes(id))
  }
}
