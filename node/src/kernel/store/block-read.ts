// Where an ordered run lies in the store, and reading what is committed of it. Under the prefix: 0x00 → marker,
// generation (u48) and count (u48); 0x01 ‖ order key → a single entry, or a block whose first entry has that key.
import { compare } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { type BlockEntry, decodeEntries } from './block-format.ts'
import { keyAfter, rangeOf, readU48, u48 } from './key.ts'
import type { Range, Store } from './store.ts'

/** A forward read finds its first block and scans from it in two steps; a block cut in between is looked for again. */
const READ_ATTEMPTS_MAX = 4

const MARKER_TAG = new Uint8Array([0])
const ENTRY_TAG = new Uint8Array([1])
const COUNT_OFFSET = 6

export interface BlocksRead {
  /** Only entries whose order key is less. */
  readonly before?: Uint8Array
  /** Only entries whose order key is greater. */
  readonly after?: Uint8Array
  readonly limit: number
  /** Greatest order key first. */
  readonly reverse?: boolean
}

/** Written with every change of a run. */
export interface Marker {
  /** Number of the change: tells which changes the store has. */
  generation: number
  /** Entries in the run. */
  count: number
}

export class BlockKeys {
  /** Key of the marker. */
  readonly marker: Uint8Array
  /** All entries, singles and blocks. */
  readonly all: Range
  readonly #entryPrefix: Uint8Array

  constructor(prefix: Uint8Array) {
    this.marker = concat([prefix, MARKER_TAG])
    this.#entryPrefix = concat([prefix, ENTRY_TAG])
    this.all = rangeOf(this.#entryPrefix)
  }

  ofEntry(orderKey: Uint8Array): Uint8Array {
    return concat([this.#entryPrefix, orderKey])
  }

  orderKeyOf(key: Uint8Array): Uint8Array {
    return key.subarray(this.#entryPrefix.byteLength)
  }
}

/** 12 bytes: generation and count, u48 each. */
export function encodeMarker({ generation, count }: Marker): Uint8Array {
  return concat([u48(generation), u48(count)])
}

/** The committed marker; zeros for a run that nothing was added to. */
export async function readMarker(store: Store, keys: BlockKeys): Promise<Marker> {
  const marker = await store.get(keys.marker)
  if (marker === undefined) return { generation: 0, count: 0 }
  return { generation: readU48(marker), count: readU48(marker, COUNT_OFFSET) }
}

/** Committed entries between the bounds, at most `limit`. */
export async function readCommitted(
  store: Store,
  keys: BlockKeys,
  { before, after, limit, reverse = false }: BlocksRead
): Promise<BlockEntry[]> {
  const found: BlockEntry[] = []
  if (limit <= 0) return found
  const to = before === undefined ? keys.all.to : keys.ofEntry(before)
  for await (const [key, record] of scanRecords(store, keys, { to, after, reverse })) {
    const entries = decodeEntries(keys.orderKeyOf(key), record)
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

/** Committed records in order, from the one that may hold the first entry after `after`. */
async function* scanRecords(
  store: Store,
  keys: BlockKeys,
  bounds: { to: Uint8Array; after: Uint8Array | undefined; reverse: boolean }
) {
  const { to, after, reverse } = bounds
  const { from } = keys.all
  if (reverse || after === undefined) {
    yield* store.scan({ from, to, reverse })
    return
  }
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt += 1) {
    // The last attempt scans from the beginning: dear, but one snapshot.
    const start = attempt === READ_ATTEMPTS_MAX ? undefined : await recordAt(store, keys, after)
    let isFirst = true
    for await (const entry of store.scan({ from: start ?? from, to })) {
      if (isFirst && start !== undefined && compare(entry[0], start) !== 0) break
      isFirst = false
      yield entry
    }
    if (!isFirst || start === undefined) return
  }
}

/** Key of the last committed record that begins at or before `orderKey`. */
async function recordAt(store: Store, keys: BlockKeys, orderKey: Uint8Array) {
  const to = keyAfter(keys.ofEntry(orderKey))
  for await (const [key] of store.scan({ from: keys.all.from, to, reverse: true, limit: 1 })) {
    return key
  }
  return undefined
}
