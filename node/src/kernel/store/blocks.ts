// Ordered runs: history in one order, recent entries as single records, older ones in blocks of 64, so that
// reading or restoring a page costs one seal and not 64. It computes writes and leaves committing to the
// caller, so that a message, its duplicate mark and its cursor are one batch.
//
// Layout under the prefix: 0x00 → generation (u48), count (u48); 0x01 ‖ order key → a single entry, or a block
// whose first entry has that key. Blocks never overlap, and every single lies after the last block.
//
// Several appends may be in flight: each is computed upon the ones before it (PendingView). The generation in
// each batch tells which of them the store has. Hence two duties of the caller: commit what append and update
// return, in the order in which they returned it; after a failed commit, drop this object with the store.
import { compare } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
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
import { keyAfter, rangeOf, readU48, u48 } from './key.ts'
import { PendingView } from './pending-view.ts'
import type { Range, Store, Write } from './store.ts'

/** Singles left behind the last block: entries that arrive a little out of order rewrite no block. */
const SINGLES_KEPT = 32
/** Singles at which a block is cut. */
const SINGLES_MAX = SINGLES_KEPT + BLOCK_ENTRIES_MAX
/** Writes remembered before the store is asked which of them it has; a block and its singles are about 70. */
const PENDING_MAX = 256
/** A forward read finds its first block and scans from it in two steps; a block cut in between is looked for again. */
const READ_ATTEMPTS_MAX = 4

const META_TAG = new Uint8Array([0])
const ENTRY_TAG = new Uint8Array([1])
const COUNT_OFFSET = 6

export interface OrderedBlocksInit {
  readonly store: Store
  /** Key prefix of this run alone; no other record's key begins with it. */
  readonly prefix: Uint8Array
  /** Length of every order key in bytes. */
  readonly orderKeyBytes: number
}

export interface BlocksRead {
  /** Only entries whose order key is less. */
  readonly before?: Uint8Array
  /** Only entries whose order key is greater. */
  readonly after?: Uint8Array
  readonly limit: number
  /** Greatest order key first. */
  readonly reverse?: boolean
}

/** What has been handed out so far: the future state of the run. A computation works on its own copy. */
interface Tail {
  generation: number
  count: number
  /** Order key of the last entry in a block. */
  lastInBlock: Uint8Array | undefined
  /** Order keys of the singles, ascending. */
  singles: readonly Uint8Array[]
}

export class OrderedBlocks {
  readonly #store: Store
  readonly #prefix: Uint8Array
  readonly #orderKeyBytes: number
  readonly #view: PendingView
  readonly #all: Range
  #tail: Tail | undefined
  #previous: Promise<unknown> = Promise.resolve()

  constructor({ store, prefix, orderKeyBytes }: OrderedBlocksInit) {
    this.#store = store
    this.#prefix = prefix
    this.#orderKeyBytes = orderKeyBytes
    this.#view = new PendingView(store)
    this.#all = rangeOf(concat([prefix, ENTRY_TAG]))
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

  /** The writes that give an entry a new value; none when there is no such entry. */
  update(orderKey: Uint8Array, value: Uint8Array): Promise<readonly Write[]> {
    this.#requireLength(orderKey)
    return this.#exclusively(async (tail, change) => {
      if (tail.singles.some((single) => compare(single, orderKey) === 0)) {
        change.put(this.#entryKey(orderKey), encodeSingle(value))
        return
      }
      const block = await this.#blockAt(orderKey)
      const isThere = block?.entries.some((known) => compare(known.orderKey, orderKey) === 0)
      if (block === undefined || isThere !== true) return
      this.#putBlocks(mergeEntries(block.entries, [{ orderKey, value }]), change)
    })
  }

  /** Committed entries between the bounds, at most `limit`. */
  async read({ before, after, limit, reverse = false }: BlocksRead): Promise<BlockEntry[]> {
    const found: BlockEntry[] = []
    if (limit <= 0) return found
    const to = before === undefined ? this.#all.to : this.#entryKey(before)
    for await (const [key, record] of this.#records({ to, after, reverse })) {
      const entries = decodeEntries(this.#orderKeyOf(key), record)
      for (const entry of reverse ? entries.reverse() : entries) {
        const isBefore = before === undefined || compare(entry.orderKey, before) < 0
        const isAfter = after === undefined || compare(entry.orderKey, after) > 0
        if (isBefore && isAfter) found.push(entry)
        if (found.length === limit || (reverse && !isAfter)) return found
        if (!reverse && !isBefore) return found
      }
    }
    return found
  }

  /** Number of committed entries. */
  async count(): Promise<number> {
    return (await this.#readMeta()).count
  }

  /**
   * Computes changes one after the other, each upon the writes of the one before. A computation that fails
   * (a corrupt block) leaves no trace.
   */
  #exclusively(compute: (tail: Tail, change: Change) => Promise<void>): Promise<readonly Write[]> {
    const result = this.#previous.then(async () => {
      if (this.#view.size > PENDING_MAX) this.#view.settle((await this.#readMeta()).generation)
      this.#tail ??= await this.#load()
      const tail = { ...this.#tail, generation: this.#tail.generation + 1 }
      const change = new Change()
      await compute(tail, change)
      if (change.isEmpty) return []
      change.put(this.#metaKey(), concat([u48(tail.generation), u48(tail.count)]))
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
    const meta = await this.#readMeta()
    const singles: Uint8Array[] = []
    for await (const [key, record] of this.#store.scan({ ...this.#all, reverse: true })) {
      const orderKey = this.#orderKeyOf(key)
      if (isBlock(record)) {
        const lastInBlock = decodeEntries(orderKey, record).at(-1)?.orderKey.slice()
        return { ...meta, lastInBlock, singles }
      }
      singles.unshift(orderKey)
    }
    return { ...meta, lastInBlock: undefined, singles }
  }

  async #readMeta(): Promise<{ generation: number; count: number }> {
    const meta = await this.#store.get(this.#metaKey())
    if (meta === undefined) return { generation: 0, count: 0 }
    return { generation: readU48(meta), count: readU48(meta, COUNT_OFFSET) }
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
      if (target !== undefined) change.delete(this.#entryKey(target.orderKey))
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

  /** Entries after the last block: singles until they are enough for a block. */
  async #insertTail(fresh: readonly BlockEntry[], tail: Tail, change: Change): Promise<void> {
    const isBulk = fresh.length >= BLOCK_ENTRIES_MAX
    const keys = mergeEntries(
      tail.singles.map((orderKey) => ({ orderKey, value: META_TAG })),
      fresh
    ).map(({ orderKey }) => orderKey)
    tail.count += keys.length - tail.singles.length
    const kept = isBulk ? 0 : SINGLES_KEPT
    const isFull = isBulk || keys.length >= SINGLES_MAX
    const blocks = isFull ? Math.floor((keys.length - kept) / BLOCK_ENTRIES_MAX) : 0
    const inBlocks = blocks * BLOCK_ENTRIES_MAX
    if (inBlocks > 0) {
      const packed = mergeEntries(await this.#readSingles(tail.singles[0]), fresh).slice(
        0,
        inBlocks
      )
      for (const { orderKey } of packed) {
        const isSingle = tail.singles.some((single) => compare(single, orderKey) === 0)
        if (isSingle) change.delete(this.#entryKey(orderKey))
      }
      this.#putBlocks(packed, change)
      tail.lastInBlock = packed.at(-1)?.orderKey
    }
    tail.singles = keys.slice(inBlocks)
    const { lastInBlock } = tail
    for (const { orderKey, value } of fresh) {
      const isPacked = lastInBlock !== undefined && compare(orderKey, lastInBlock) <= 0
      if (!isPacked) change.put(this.#entryKey(orderKey), encodeSingle(value))
    }
  }

  /** The singles from order key `first` on, with their values. */
  async #readSingles(first: Uint8Array | undefined): Promise<BlockEntry[]> {
    if (first === undefined) return []
    const entries: BlockEntry[] = []
    for await (const [key, record] of this.#view.scan({
      from: this.#entryKey(first),
      to: this.#all.to
    })) {
      entries.push(...decodeEntries(this.#orderKeyOf(key), record))
    }
    return entries
  }

  #putBlocks(entries: readonly BlockEntry[], change: Change): void {
    for (const block of cutIntoBlocks(entries)) {
      change.put(this.#entryKey((block[0] as BlockEntry).orderKey), encodeBlock(block))
    }
  }

  /** The block with the greatest first key not above `orderKey`, writes on their way included. */
  #blockAt(orderKey: Uint8Array) {
    const to = keyAfter(this.#entryKey(orderKey))
    return this.#firstBlock({ from: this.#all.from, to, reverse: true })
  }

  /** The block with the least first key above `orderKey`. */
  #blockAfter(orderKey: Uint8Array) {
    return this.#firstBlock({ from: keyAfter(this.#entryKey(orderKey)), to: this.#all.to })
  }

  async #firstBlock(range: Range) {
    for await (const [key, record] of this.#view.scan({ ...range, limit: 1 })) {
      const orderKey = this.#orderKeyOf(key)
      if (isBlock(record)) return { orderKey, entries: decodeEntries(orderKey, record) }
    }
    return undefined
  }

  /** Committed records in order, from the one that may hold the first entry after `after`. */
  async *#records(bounds: { to: Uint8Array; after: Uint8Array | undefined; reverse: boolean }) {
    const { to, after, reverse } = bounds
    if (reverse || after === undefined) {
      yield* this.#store.scan({ from: this.#all.from, to, reverse })
      return
    }
    for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt += 1) {
      // The last attempt scans from the beginning: dear, but one snapshot.
      const start = attempt === READ_ATTEMPTS_MAX ? undefined : await this.#recordAt(after)
      let isFirst = true
      for await (const entry of this.#store.scan({ from: start ?? this.#all.from, to })) {
        if (isFirst && start !== undefined && compare(entry[0], start) !== 0) break
        isFirst = false
        yield entry
      }
      if (!isFirst || start === undefined) return
    }
  }

  /** Key of the last committed record that begins at or before `orderKey`. */
  async #recordAt(orderKey: Uint8Array): Promise<Uint8Array | undefined> {
    const to = keyAfter(this.#entryKey(orderKey))
    const range = { from: this.#all.from, to, reverse: true, limit: 1 }
    for await (const [key] of this.#store.scan(range)) return key
    return undefined
  }

  #entryKey(orderKey: Uint8Array): Uint8Array {
    return concat([this.#prefix, ENTRY_TAG, orderKey])
  }

  #orderKeyOf(key: Uint8Array): Uint8Array {
    return key.subarray(this.#prefix.byteLength + ENTRY_TAG.byteLength)
  }

  #metaKey(): Uint8Array {
    return concat([this.#prefix, META_TAG])
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

/** The writes of one computation, the last one for each key. */
class Change {
  readonly #writes = new Map<string, Write>()

  get isEmpty(): boolean {
    return this.#writes.size === 0
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#writes.set(String.fromCharCode(...key), { type: 'put', key, value })
  }

  delete(key: Uint8Array): void {
    this.#writes.set(String.fromCharCode(...key), { type: 'delete', key })
  }

  writes(): Write[] {
    return [...this.#writes.values()]
  }
}
