// A disk in virtual time: a batch is durable when its sync is over, and a crash keeps what was synced, at times
// with the first of what was on its way. Reads see what is durable, as the store's twin in memory does.
import { type Range, type Store, StoreError, type Write } from '@kith/node/kernel'
import type { Dice } from '../storm/dice.ts'
import type { Scheduler } from './scheduler.ts'

interface Batch {
  readonly writes: readonly Write[]
  readonly done: PromiseWithResolvers<void>
}

type Entry = readonly [key: Uint8Array, value: Uint8Array]

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

function copy(write: Write): Write {
  const key = write.key.slice()
  return write.type === 'put' ? { type: 'put', key, value: write.value.slice() } : { ...write, key }
}

export interface DiskInit {
  readonly scheduler: Scheduler
  readonly dice: Dice
  /** Called after each sync. */
  readonly onSync: (batches: number, bytes: number) => void
}

export class SimDisk {
  /** Milliseconds that a sync takes, least and most. */
  syncMs: readonly [number, number] = [1, 12]
  /** Answers before anything is synced: a disk that lies, for tests of the checks. */
  liesAboutSyncs = false
  readonly #init: DiskInit
  readonly #durable = new Map<string, Entry>()
  #waiting: Batch[] = []
  #syncing: Batch[] = []
  #generation = 0

  constructor(init: DiskInit) {
    this.#init = init
  }

  get generation(): number {
    return this.#generation
  }

  /** Whether a durable key ends like this. */
  hasKeyEndingIn(bytes: Uint8Array): boolean {
    const end = nameOf(bytes)
    for (const name of this.#durable.keys()) if (name.endsWith(end)) return true
    return false
  }

  /** Durable keys with this beginning. */
  count(prefix: Uint8Array): number {
    const begin = nameOf(prefix)
    return [...this.#durable.keys()].filter((name) => name.startsWith(begin)).length
  }

  /** Loses what was not synced, or keeps the first batches of it; open stores are cut off. */
  crash(): { lost: number; kept: number } {
    this.#generation += 1
    const unsynced = [...this.#syncing, ...this.#waiting]
    const { dice } = this.#init
    const kept = dice.oneIn(2) || this.liesAboutSyncs ? 0 : dice.roll(0, unsynced.length)
    for (const { writes } of unsynced.slice(0, kept)) this.#apply(writes)
    for (const { done } of unsynced) done.reject(new StoreError('failed', 'The disk crashed.'))
    this.#syncing = []
    this.#waiting = []
    return { lost: unsynced.length - kept, kept }
  }

  commit(writes: readonly Write[]): Promise<void> {
    const batch: Batch = { writes: writes.map(copy), done: Promise.withResolvers() }
    // Whoever waits for it is told; a crash must not end the process that simulates it.
    batch.done.promise.catch(() => undefined)
    this.#waiting.push(batch)
    if (this.liesAboutSyncs) batch.done.resolve()
    if (this.#syncing.length === 0) this.#sync()
    return batch.done.promise
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#durable.get(nameOf(key))?.[1].slice()
  }

  range({ from, to, reverse = false, limit = Number.POSITIVE_INFINITY }: Range): Entry[] {
    const [first, end] = [nameOf(from), nameOf(to)]
    const names = [...this.#durable.keys()].filter((name) => name >= first && name < end).sort()
    if (reverse) names.reverse()
    return names.slice(0, limit).map((name) => this.#durable.get(name) as Entry)
  }

  /** Everything that waits shares one sync; what comes meanwhile shares the next. */
  #sync(): void {
    const { scheduler, dice, onSync } = this.#init
    const generation = this.#generation
    this.#syncing = this.#waiting
    this.#waiting = []
    scheduler.schedule(dice.roll(...this.syncMs), () => {
      if (generation !== this.#generation) return
      const synced = this.#syncing
      this.#syncing = []
      let bytes = 0
      for (const { writes, done } of synced) {
        bytes += this.#apply(writes)
        done.resolve()
      }
      onSync(synced.length, bytes)
      if (this.#waiting.length > 0) this.#sync()
    })
  }

  #apply(writes: readonly Write[]): number {
    let bytes = 0
    for (const write of writes) {
      if (write.type === 'delete') this.#durable.delete(nameOf(write.key))
      else {
        this.#durable.set(nameOf(write.key), [write.key, write.value])
        bytes += write.key.byteLength + write.value.byteLength
      }
    }
    return bytes
  }
}

/** The disk as a store; cut off for good once the disk has crashed under it. */
export function openDisk(disk: SimDisk): Store {
  const { generation } = disk
  let isClosed = false
  const check = (): void => {
    if (isClosed) throw new StoreError('closed', 'The store is closed.')
    if (generation !== disk.generation) throw new StoreError('failed', 'The disk crashed.')
  }
  return {
    async get(key) {
      check()
      return disk.get(key)
    },
    async getMany(keys) {
      check()
      return keys.map((key) => disk.get(key))
    },
    async *scan(range) {
      check()
      for (const [key, value] of disk.range(range)) yield [key.slice(), value.slice()]
    },
    async commit(writes) {
      check()
      await disk.commit(writes)
    },
    async close() {
      isClosed = true
    }
  }
}
