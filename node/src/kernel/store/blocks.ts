// Ordered runs: history in one order, recent entries as single records, older ones in blocks of 64, so that
// reading or restoring a page costs one seal and not 64. It computes writes and leaves committing to the
// caller, so that a message, its duplicate mark and its cursor are one batch.
//
// Blocks never overlap, and every single lies after the last block (layout: block-read.ts, block-format.ts).
//
// Appending only ever adds singles, or blocks that come whole; `pack` makes blocks of singles, at a time when nobody
// waits for it.
//
// Several appends may be in flight: each is computed upon the ones before it (PendingView). The generation in
// each batch tells which of them the store has. Hence two duties of the caller: commit what append and update
// return, in the order in which they returned it; after a failed commit, drop this object with the store.
import { compare } from 'uint8arrays/compare'
import {
  BLOCK_ENTRIES_MAX,
  type BlockEntry,
  cutIntoBlocks,
  decodeEntries,
  encodeBlock,
  encodeSingle,
  isBlock,
  mergeEntries
} from './block-format.ts'
import {
  BlockKeys,
  type BlocksRead,
  encodeMarker,
  type Marker,
  readCommitted,
  readMarker
} from './block-read.ts'
import { keyAfter } from './key.ts'
import { Change, PendingView } from './pending-view.ts'
import type { Range, Store, Write } from './store.ts'

/** Singles left behind the last block: entries that arrive a little out of order rewrite no block. */
const SINGLES_KEPT = 32
/** Singles at which a block is cut. */
const SINGLES_MAX = SINGLES_KEPT + BLOCK_ENTRIES_MAX
/** Writes remembered before the store is asked which of them it has; a block and its singles are about 70. */
const PENDING_MAX = 256
const NO_VALUE = new Uint8Array(0)

export interface OrderedBlocksInit {
  readonly store: Store
  /** Key prefix of this run alone; no other record's key begins with it. */
  readonly prefix: Uint8Array
  /** Length of every order key in bytes. */
  readonly orderKeyBytes: number
}

/** What has been handed out so far: the future state of the run. A computation works on its own copy. */
interface Tail extends Marker {
  /** Order key of the last entry in a block. */
  lastInBlock: Uint8Array | undefined
  /** Order keys of the singles, ascending. */
  singles: readonly Uint8Array[]
}

export class OrderedBlocks {
  readonly #store: Store
  readonly #keys: BlockKeys
  readonly #orderKeyBytes: number
  readonly #view: PendingView
  #tail: Tail | undefined
  #previous: Promise<unknown> = Promise.resolve()

  constructor({ store, prefix, orderKeyBytes }: OrderedBlocksInit) {
    this.#store = store
    this.#keys = new BlockKeys(prefix)
    this.#orderKeyBytes = orderKeyBytes
    this.#view = new PendingView(store)
  }

  /** The writes that add the entries, in any order; an order key that is there already gets the new value. */
  append(entries: readonly BlockEntry[]): Promise<readonly Write[]> {
    for (const { orderKey } of entries) this.#requireLength(orderKey)
    return this.#exclusively(async (tail, change) => {
      if (entries.length === 0) return
      const isLate = ({ orderKey }: BlockEntry) =>
        tail.lastInBlock !== undefined && compare(orderKey, tail.lastInBlock) <= 0
      const sorted = mergeEntries([], entries)
      await this.#insertLate(sorted.filter(isLate), tail, change)
      await this.#insertTail(
        sorted.filter((entry) => !isLate(entry)),
        tail,
        change
      )
    })
  }

  /** So many singles that a block should be made of the older ones. */
  get isPackable(): boolean {
    return (this.#tail?.singles.length ?? 0) >= SINGLES_MAX
  }

  /** The writes that make blocks of the older singles; none while they are few. */
  pack(): Promise<readonly Write[]> {
    return this.#exclusively(async (tail, change) => {
      if (tail.singles.length < SINGLES_MAX) return
      await this.#cut(tail, change, { fresh: [], kept: SINGLES_KEPT })
    })
  }

  /** The writes that give an entry a new value; none when there is no such entry. */
  update(orderKey: Uint8Array, value: Uint8Array): Promise<readonly Write[]> {
    this.#requireLength(orderKey)
    return this.#exclusively(async (tail, change) => {
      if (tail.singles.some((single) => compare(single, orderKey) === 0)) {
        change.put(this.#keys.ofEntry(orderKey), encodeSingle(value))
        return
      }
      const block = await this.#blockAt(orderKey)
      const isThere = block?.entries.some((known) => compare(known.orderKey, orderKey) === 0)
      if (block === undefined || isThere !== true) return
      this.#putBlocks(mergeEntries(block.entries, [{ orderKey, value }]), change)
    })
  }

  /** Committed entries between the bounds, at most `limit`. */
  read(read: BlocksRead): Promise<BlockEntry[]> {
    return readCommitted(this.#store, this.#keys, read)
  }

  /** Number of committed entries. */
  async count(): Promise<number> {
    return (await readMarker(this.#store, this.#keys)).count
  }

  /**
   * Computes changes one after the other, each upon the writes of the one before. A computation that fails
   * (a corrupt block) leaves no trace.
   */
  #exclusively(compute: (tail: Tail, change: Change) => Promise<void>): Promise<readonly Write[]> {
    const result = this.#previous.then(async () => {
      if (this.#view.size > PENDING_MAX)
        this.#view.settle((await readMarker(this.#store, this.#keys)).generation)
      this.#tail ??= await this.#load()
      const tail = { ...this.#tail, generation: this.#tail.generation + 1 }
      const change = new Change()
      await compute(tail, change)
      if (change.isEmpty) return []
      change.put(this.#keys.marker, encodeMarker(tail))
      this.#tail = tail
      const writes = change.writes()
      for (const write of writes) this.#view.add(write, tail.generation)
      return writes
    })
    // The caller gets the failure from `result`; the next in line only waits for the end.
    this.#previous = result.catch(() => undefined)
    return result
  }

  async #load(): Promise<Tail> {
    const meta = await readMarker(this.#store, this.#keys)
    const singles: Uint8Array[] = []
    for await (const [key, record] of this.#store.scan({ ...this.#keys.all, reverse: true })) {
      const orderKey = this.#keys.orderKeyOf(key)
      if (isBlock(record)) {
        const lastInBlock = decodeEntries(orderKey, record).at(-1)?.orderKey.slice()
        return { ...meta, lastInBlock, singles }
      }
      singles.unshift(orderKey)
    }
    return { ...meta, lastInBlock: undefined, singles }
  }

  /** Entries at or before the last block's end go into the blocks that they belong to. */
  async #insertLate(late: readonly BlockEntry[], tail: Tail, change: Change): Promise<void> {
    let rest = late
    for (let first = rest[0]; first !== undefined; first = rest[0]) {
      const target = await this.#lateTarget(first.orderKey, rest)
      const next = await this.#blockAfter(target?.orderKey ?? first.orderKey)
      const group = rest.filter(({ orderKey }) => isBelow(orderKey, next?.orderKey))
      rest = rest.slice(group.length)
      const merged = mergeEntries(target?.entries ?? [], group)
      tail.count += merged.length - (target?.entries.length ?? 0)
      if (target !== undefined) change.delete(this.#keys.ofEntry(target.orderKey))
      this.#putBlocks(merged, change)
    }
  }

  /**
   * The block that `orderKey` joins. Before all blocks that is the first one, or none when enough entries
   * (an older page of history) come at once to make blocks of their own.
   */
  async #lateTarget(orderKey: Uint8Array, late: readonly BlockEntry[]) {
    const block = await this.#blockAt(orderKey)
    if (block !== undefined) return block
    const next = await this.#blockAfter(orderKey)
    const before = late.filter((entry) => isBelow(entry.orderKey, next?.orderKey))
    return before.length >= SINGLES_KEPT ? undefined : next
  }

  /** Entries after the last block are singles; so many at once that they make blocks are packed at once. */
  async #insertTail(fresh: readonly BlockEntry[], tail: Tail, change: Change): Promise<void> {
    const before = tail.singles.length
    tail.singles = mergeEntries(
      tail.singles.map((orderKey) => ({ orderKey, value: NO_VALUE })),
      fresh
    ).map(({ orderKey }) => orderKey)
    tail.count += tail.singles.length - before
    if (fresh.length >= BLOCK_ENTRIES_MAX) await this.#cut(tail, change, { fresh, kept: 0 })
    const { lastInBlock } = tail
    for (const { orderKey, value } of fresh) {
      const isPacked = lastInBlock !== undefined && compare(orderKey, lastInBlock) <= 0
      if (!isPacked) change.put(this.#keys.ofEntry(orderKey), encodeSingle(value))
    }
  }

  /** Makes blocks of the oldest singles, `fresh` ones that are not written yet among them; the last `kept` stay. */
  async #cut(
    tail: Tail,
    change: Change,
    { fresh, kept }: { fresh: readonly BlockEntry[]; kept: number }
  ): Promise<void> {
    const blocks = Math.floor((tail.singles.length - kept) / BLOCK_ENTRIES_MAX)
    const inBlocks = blocks * BLOCK_ENTRIES_MAX
    const written = await this.#readSingles(tail.singles[0])
    const packed = mergeEntries(written, fresh).slice(0, inBlocks)
    const last = packed.at(-1)?.orderKey
    for (const { orderKey } of written) {
      const isPacked = last !== undefined && compare(orderKey, last) <= 0
      if (isPacked) change.delete(this.#keys.ofEntry(orderKey))
    }
    this.#putBlocks(packed, change)
    tail.lastInBlock = last
    tail.singles = tail.singles.slice(inBlocks)
  }

  /** The singles from order key `first` on, with their values. */
  async #readSingles(first: Uint8Array | undefined): Promise<BlockEntry[]> {
    if (first === undefined) return []
    const entries: BlockEntry[] = []
    for await (const [key, record] of this.#view.scan({
      from: this.#keys.ofEntry(first),
      to: this.#keys.all.to
    })) {
      entries.push(...decodeEntries(this.#keys.orderKeyOf(key), record))
    }
    return entries
  }

  #putBlocks(entries: readonly BlockEntry[], change: Change): void {
    for (const block of cutIntoBlocks(entries)) {
      change.put(this.#keys.ofEntry((block[0] as BlockEntry).orderKey), encodeBlock(block))
    }
  }

  /** The block with the greatest first key not above `orderKey`, writes on their way included. */
  #blockAt(orderKey: Uint8Array) {
    const to = keyAfter(this.#keys.ofEntry(orderKey))
    return this.#firstBlock({ from: this.#keys.all.from, to, reverse: true })
  }

  /** The block with the least first key above `orderKey`. */
  #blockAfter(orderKey: Uint8Array) {
    return this.#firstBlock({ from: keyAfter(this.#keys.ofEntry(orderKey)), to: this.#keys.all.to })
  }

  async #firstBlock(range: Range) {
    for await (const [key, record] of this.#view.scan({ ...range, limit: 1 })) {
      const orderKey = this.#keys.orderKeyOf(key)
      if (isBlock(record)) return { orderKey, entries: decodeEntries(orderKey, record) }
    }
    return undefined
  }

  #requireLength(orderKey: Uint8Array): void {
    if (orderKey.byteLength !== this.#orderKeyBytes) {
      throw new RangeError(`an order key here is ${this.#orderKeyBytes} bytes`)
    }
  }
}

function isBelow(orderKey: Uint8Array, bound: Uint8Array | undefined): boolean {
  return bound === undefined || compare(orderKey, bound) < 0
}
