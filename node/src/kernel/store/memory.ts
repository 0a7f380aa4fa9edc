// The store's twin in memory: same group commit, same errors, no clock. Its disk outlives it, can crash,
// hold syncs back and fail at a chosen operation, so that a test decides every interleaving.
import { compare } from 'uint8arrays/compare'
import { CommitQueue } from './commit-queue.ts'
import { type Range, type Store, StoreError, type Write } from './store.ts'

type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** What survives a store being closed, or crashing. */
export class MemoryDisk {
  /** Synced entries in key order. */
  readonly #entries: Entry[] = []
  #holder: object | undefined
  #release: (() => void) | undefined
  #held: Promise<void> | undefined
  #operations = 0
  #failAt = Number.POSITIVE_INFINITY
  #generation = 0

  /** Batches that were started on this disk, failed ones included. */
  get operations(): number {
    return this.#operations
  }

  /** From now on batches are written but their sync waits. */
  hold(): void {
    if (this.#held !== undefined) return
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  /** Lets the held syncs finish. */
  release(): void {
    this.#release?.()
    this.#held = undefined
    this.#release = undefined
  }

  /** The batch numbered `operation` (counted from 1, see `operations`) fails with an I/O error. */
  failAt(operation: number): void {
    this.#failAt = operation
  }

  /** Loses what was not synced and cuts off the open store, as a power failure would. */
  crash(): void {
    this.#generation += 1
    this.#holder = undefined
    this.release()
  }

  /** @internal Used by openMemoryStore. */
  attach(holder: object): number {
    if (this.#holder !== undefined) {
      throw new StoreError('in-use', 'the store is in use', { holder: 'this process' })
    }
    this.#holder = holder
    return this.#generation
  }

  /** @internal Used by openMemoryStore. */
  detach(holder: object): void {
    if (this.#holder === holder) this.#holder = undefined
  }

  /** @internal False once the disk crashed under a store attached at `generation`. */
  isCurrent(generation: number): boolean {
    return generation === this.#generation
  }

  /** @internal One atomic batch; resolves when synced. */
  async write(generation: number, writes: readonly Write[]): Promise<void> {
    this.#operations += 1
    if (this.#operations === this.#failAt) throw new Error('injected I/O error')
    while (this.#held !== undefined) await this.#held
    if (!this.isCurrent(generation)) throw new Error('the disk crashed')
    for (const write of writes) this.#apply(write)
  }

  /** @internal */
  get(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#entries[this.#search(key)]
    return entry !== undefined && compare(entry[0], key) === 0 ? entry[1].slice() : undefined
  }

  /** @internal A snapshot of the range, in its order. */
  range({ from, to, reverse = false, limit = Number.POSITIVE_INFINITY }: Range): Entry[] {
    const start = this.#search(from)
    const end = Math.max(start, this.#search(to))
    const count = Math.min(limit, end - start)
    if (!reverse) return this.#entries.slice(start, start + count)
    return this.#entries.slice(end - count, end).reverse()
  }

  #apply(write: Write): void {
    const at = this.#search(write.key)
    const entry = this.#entries[at]
    const isKnown = entry !== undefined && compare(entry[0], write.key) === 0
    if (write.type === 'put') this.#entries.splice(at, isKnown ? 1 : 0, [write.key, write.value])
    else if (isKnown) this.#entries.splice(at, 1)
  }

  /** Index of the first entry whose key is not below `key`. */
  #search(key: Uint8Array): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare((this.#entries[middle] as Entry)[0], key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

class MemoryStore implements Store {
  readonly #disk: MemoryDisk
  readonly #generation: number
  readonly #queue: CommitQueue<Write>

  constructor(disk: MemoryDisk) {
    this.#disk = disk
    this.#generation = disk.attach(this)
    this.#queue = new CommitQueue<Write>({
      encode: copy,
      apply: (writes) => disk.write(this.#generation, writes)
    })
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#disk.get(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#check()
    return keys.map((key) => this.#disk.get(key))
  }

  async *scan(range: Range): AsyncGenerator<Entry> {
    this.#check()
    for (const [key, value] of this.#disk.range(range)) {
      this.#check()
      yield [key.slice(), value.slice()]
    }
  }

  commit(writes: readonly Write[]): Promise<void> {
    return this.#queue.commit(writes)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    this.#disk.detach(this)
  }

  #check(): void {
    this.#queue.check()
    if (!this.#disk.isCurrent(this.#generation)) throw this.#queue.fail(new Error('crashed'))
  }
}

function copy(write: Write): Write {
  const key = write.key.slice()
  return write.type === 'put' ? { type: 'put', key, value: write.value.slice() } : { ...write, key }
}

/**
 * Opens the store on `disk` (a fresh one unless given).
 *
 * @throws StoreError `in-use` while another store is open on the same disk.
 */
export function openMemoryStore(disk: MemoryDisk = new MemoryDisk()): Store {
  return new MemoryStore(disk)
}
