// The slots of every box, over the store. Changes ride in the next group commit and are seen by subscribers at
// once: losing the newest in a crash loses nothing that is not said again.
import type { Write } from '@kith/node/kernel'
import type { box as protocol } from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import type { Boxes } from '../box/boxes.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, mapKey, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import { createSlotTable, putSlot, type SlotEntry, type SlotTable } from './table.ts'

/** Boxes whose slot versions are kept in memory: two generations of this many, at about 100 bytes a slot. */
const TABLES_MAX = 1_024
/** An item (512 KiB) also carries 256 KiB of envelopes and their ids; 8 of the largest slots are 128 KiB. */
const SLOTS_PER_ITEM = 8
/** Table byte and box number in front of a slot's tag. */
const TAG_OFFSET = 1 + 8

export interface Slots {
  /** Puts it in where its version is the highest. */
  put(box: BoxNumber, slot: protocol.Slot, trusted: boolean): Promise<void>
  /** Tags of a box, as map keys. */
  tags(box: BoxNumber): Promise<Iterable<string>>
  /** Some of the slots named, which are taken out of the set. */
  take(box: BoxNumber, tags: Set<string>): Promise<protocol.Slot[]>
}

/** The slots of a store; their writes ride in the boxes' commits. */
export function openSlots(store: StoreReader, boxes: Boxes): Slots {
  return new StoredSlots(store, boxes)
}

class StoredSlots implements Slots {
  readonly #store: StoreReader
  readonly #boxes: Boxes
  /** Written but perhaps not on disk yet, by name of the write. */
  readonly #pending = new Map<string, Write>()
  #young = new Map<BoxNumber, Promise<SlotTable>>()
  #old = new Map<BoxNumber, Promise<SlotTable>>()

  constructor(store: StoreReader, boxes: Boxes) {
    this.#store = store
    this.#boxes = boxes
    boxes.onLazyWrites((writes) => {
      for (const [name, write] of writes) {
        if (this.#pending.get(name) === write) this.#pending.delete(name)
      }
    })
  }

  async put(box: BoxNumber, slot: protocol.Slot, trusted: boolean): Promise<void> {
    const table = await this.#table(box)
    const tag = mapKey(slot.tag)
    const change = putSlot(table, { tag, version: slot.version, trusted })
    if (change === undefined) return
    const { entry, evicted } = change
    const value = encodeSlot(entry, slot.sealed)
    this.#write({ type: 'put', key: key(TABLE.slot, box, slot.tag), value })
    if (evicted !== undefined) {
      this.#write({ type: 'delete', key: key(TABLE.slot, box, bytesOf(evicted)) })
    }
    this.#boxes.live.slotChanged(box, tag)
  }

  async tags(box: BoxNumber): Promise<Iterable<string>> {
    return (await this.#table(box)).entries.keys()
  }

  async take(box: BoxNumber, tags: Set<string>): Promise<protocol.Slot[]> {
    const keys: Uint8Array[] = []
    for (const tag of tags) {
      if (keys.length >= SLOTS_PER_ITEM) break
      tags.delete(tag)
      keys.push(key(TABLE.slot, box, bytesOf(tag)))
    }
    const stored = await this.#store.getMany(keys)
    const slots = keys.map((slotKey, index) => {
      const pending = this.#pending.get(mapKey(slotKey))
      const record = pending === undefined ? stored[index] : storedBy(pending)
      return record && decodeSlot(slotKey, record).slot
    })
    return slots.filter((slot) => slot !== undefined)
  }

  #write(write: Write): void {
    const name = mapKey(write.key)
    this.#pending.set(name, write)
    this.#boxes.writeLater(name, write)
  }

  #table(box: BoxNumber): Promise<SlotTable> {
    const known = this.#young.get(box) ?? this.#old.get(box)
    const table = known ?? this.#load(box)
    this.#young.set(box, table)
    if (this.#young.size >= TABLES_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    return table
  }

  async #load(box: BoxNumber): Promise<SlotTable> {
    const range = rangeOf(TABLE.slot, box)
    // Taken before the scan: what is on its way to the disk now may be missed by it.
    const prefix = mapKey(range.from)
    const pending = [...this.#pending].filter(([name]) => name.startsWith(prefix))
    const entries = new Map<string, SlotEntry>()
    const take = (slotKey: Uint8Array, record: Uint8Array) => {
      const { entry } = decodeSlot(slotKey, record)
      entries.set(entry.tag, entry)
    }
    for await (const [slotKey, record] of this.#store.scan(range)) take(slotKey, record)
    for (const [name, write] of pending) {
      if (write.type === 'put') take(write.key, write.value)
      else entries.delete(name.slice(TAG_OFFSET))
    }
    return createSlotTable([...entries.values()])
  }
}

/** Order, version, whether a stranger's, then the sealed value. */
function encodeSlot({ order, version, isStranger }: SlotEntry, sealed: Uint8Array): Uint8Array {
  return new FieldWriter()
    .varint(order)
    .varint(version)
    .varint(isStranger ? 1 : 0)
    .fixed(sealed)
    .finish()
}

function decodeSlot(
  slotKey: Uint8Array,
  record: Uint8Array
): { entry: SlotEntry; slot: protocol.Slot } {
  const tag = new Uint8Array(slotKey.subarray(TAG_OFFSET))
  const reader = new FieldReader(record)
  const order = reader.varint()
  const version = reader.varint()
  const isStranger = reader.varint() === 1
  return {
    entry: { tag: mapKey(tag), version, order, isStranger },
    slot: { tag, version, sealed: reader.rest() }
  }
}

const storedBy = (write: Write): Uint8Array | undefined =>
  write.type === 'put' ? write.value : undefined

/** Opposite of `mapKey`. */
const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0))
