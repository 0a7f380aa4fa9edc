// A store as it will be once every write handed out has been committed. Lets the next write be computed while
// earlier ones are still on their way to disk.
import { compare } from 'uint8arrays/compare'
import type { Range, Store, Write } from './store.ts'

interface Pending {
  readonly key: Uint8Array
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined
  readonly generation: number
}

type Entry = readonly [key: Uint8Array, value: Uint8Array]

export class PendingView {
  readonly #store: Store
  readonly #pending = new Map<string, Pending>()

  constructor(store: Store) {
    this.#store = store
  }

  get size(): number {
    return this.#pending.size
  }

  /** Adds a write that was handed out as part of `generation`. */
  add(write: Write, generation: number): void {
    const value = write.type === 'put' ? write.value : undefined
    this.#pending.set(nameOf(write.key), { key: write.key, value, generation })
  }

  /** Forgets the writes up to `generation`: the store itself has them now. */
  settle(generation: number): void {
    for (const [name, pending] of this.#pending) {
      if (pending.generation <= generation) this.#pending.delete(name)
    }
  }

  /** Entries of the store and of the writes on their way, in key order; the port's own semantics. */
  async *scan(range: Range): AsyncGenerator<Entry> {
    const { reverse = false, limit = Number.POSITIVE_INFINITY } = range
    const direction = reverse ? -1 : 1
    const pending = this.#inRange(range).sort((a, b) => direction * compare(a.key, b.key))
    // Each pending write hides at most one entry, so this many of the store's are always enough.
    const storeLimit = limit + pending.length
    const inner = { from: range.from, to: range.to, reverse }
    const stored = this.#store.scan(
      Number.isFinite(storeLimit) ? { ...inner, limit: storeLimit } : inner
    )
    let count = 0
    for await (const entry of merge(stored, pending, direction)) {
      if (count >= limit) return
      count += 1
      yield entry
    }
  }

  #inRange({ from, to }: Range): Pending[] {
    return [...this.#pending.values()].filter(
      ({ key }) => compare(key, from) >= 0 && compare(key, to) < 0
    )
  }
}

/** The writes of one computation, the last one for each key. */
export class Change {
  readonly #writes = new Map<string, Write>()

  get isEmpty(): boolean {
    return this.#writes.size === 0
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#writes.set(nameOf(key), { type: 'put', key, value })
  }

  delete(key: Uint8Array): void {
    this.#writes.set(nameOf(key), { type: 'delete', key })
  }

  writes(): Write[] {
    return [...this.#writes.values()]
  }
}

async function* merge(
  stored: AsyncIterable<Entry>,
  pending: readonly Pending[],
  direction: number
): AsyncGenerator<Entry> {
  let next = 0
  for await (const entry of stored) {
    let isHidden = false
    for (; next < pending.length; next += 1) {
      const { key, value } = pending[next] as Pending
      const order = direction * compare(key, entry[0])
      if (order > 0) break
      if (order === 0) isHidden = true
      if (value !== undefined) yield [key, value]
    }
    if (!isHidden) yield entry
  }
  for (const { key, value } of pending.slice(next)) {
    if (value !== undefined) yield [key, value]
  }
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
