// The two records of an ordered run: a single entry, and a block of up to 64 of them. First byte of the value:
// 0 single, then the entry's value; 1 block, then a count (u16), then for each entry its order key, the length
// of its value (u32) and the value. Integers are big-endian.
import { compare } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { StoreError } from './store.ts'

/**
 * Entries in a block. One seal costs about 0.04 ms however small the record, so 64 entries share it; more
 * would make a late entry, which rewrites its block, dearer than the seal it saves.
 */
export const BLOCK_ENTRIES_MAX = 64
/** Bytes in a block; keeps the rewrite of a block of long entries as cheap as that of short ones. */
export const BLOCK_BYTES_MAX = 65_536

const SINGLE = 0
const BLOCK = 1
const HEADER_BYTES = 3
const LENGTH_BYTES = 4

export interface BlockEntry {
  /** Fixed length; byte order is the order of the run. */
  readonly orderKey: Uint8Array
  readonly value: Uint8Array
}

/** The record of an entry of its own. */
export function encodeSingle(value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + value.byteLength)
  bytes[0] = SINGLE
  bytes.set(value, 1)
  return bytes
}

/** The record of a block; `entries` in order and within the limits (`cutIntoBlocks`). */
export function encodeBlock(entries: readonly BlockEntry[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  header[0] = BLOCK
  new DataView(header.buffer).setUint16(1, entries.length)
  const parts: Uint8Array[] = [header]
  for (const { orderKey, value } of entries) {
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setUint32(0, value.byteLength)
    parts.push(orderKey, length, value)
  }
  return concat(parts)
}

/** Whether a record is a block and not a single. */
export function isBlock(record: Uint8Array): boolean {
  return record[0] === BLOCK
}

/**
 * The entries of a record, in order. `orderKey` is the one in the record's own key.
 *
 * @throws StoreError `corrupt` when the record is neither a single nor a whole block.
 */
export function decodeEntries(orderKey: Uint8Array, record: Uint8Array): BlockEntry[] {
  if (record[0] === SINGLE) return [{ orderKey, value: record.subarray(1) }]
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  if (!isBlock(record) || record.byteLength < HEADER_BYTES) throw malformed()
  const entries: BlockEntry[] = []
  let offset = HEADER_BYTES
  for (let index = view.getUint16(1); index > 0; index -= 1) {
    const start = offset + orderKey.byteLength + LENGTH_BYTES
    if (start > record.byteLength) throw malformed()
    const end = start + view.getUint32(start - LENGTH_BYTES)
    if (end > record.byteLength) throw malformed()
    entries.push({
      orderKey: record.subarray(offset, start - LENGTH_BYTES),
      value: record.subarray(start, end)
    })
    offset = end
  }
  if (offset !== record.byteLength || entries.length === 0) throw malformed()
  return entries
}

/** Both lists in one order; where an order key is in both, the entry of `newer` stands. */
export function mergeEntries(
  older: readonly BlockEntry[],
  newer: readonly BlockEntry[]
): BlockEntry[] {
  const sorted = [...older, ...newer].sort((a, b) => compare(a.orderKey, b.orderKey))
  // The sort is stable: of two equal keys the newer one comes last.
  return sorted.filter((entry, index) => {
    const next = sorted[index + 1]
    return next === undefined || compare(entry.orderKey, next.orderKey) !== 0
  })
}

/** Cuts entries in order into blocks within the limits, of about equal counts. An entry is never cut. */
export function cutIntoBlocks(entries: readonly BlockEntry[]): BlockEntry[][] {
  const pieces = Math.ceil(entries.length / BLOCK_ENTRIES_MAX)
  const countMax = Math.ceil(entries.length / Math.max(pieces, 1))
  const blocks: BlockEntry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const size = entry.orderKey.byteLength + LENGTH_BYTES + entry.value.byteLength
    const last = blocks.at(-1)
    if (last === undefined || last.length >= countMax || bytes + size > BLOCK_BYTES_MAX) {
      blocks.push([entry])
      bytes = HEADER_BYTES + size
    } else {
      last.push(entry)
      bytes += size
    }
  }
  return blocks
}

function malformed(): StoreError {
  return new StoreError('corrupt', 'a block of history is not what was written')
}
