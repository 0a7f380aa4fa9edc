// LevelDB's log format (doc/log_format.md), used by write-ahead log and manifest: blocks of 32 KiB; records cut
// at block ends; in front of each fragment a masked CRC-32C (u32), a length (u16) and a type.
import { maskedCrc32c } from './crc32c.ts'
import { Cursor } from './cursor.ts'

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const TYPE_OFFSET = 6
const FULL = 1
const FIRST = 2
const LAST = 4

export interface LogContent {
  /** Whole records from the start to the first one that is not whole. */
  readonly records: readonly Uint8Array[]
  /**
   * `whole`: every byte is accounted for. `torn`: what follows the records is no record; a writer that died may
   * leave that. `broken`: there are records after it, so these bytes were damaged later.
   */
  readonly end: 'whole' | 'torn' | 'broken'
}

/** Reads strictly where LevelDB 1.20 skips what it cannot read and goes on without an error. */
export function readLog(bytes: Uint8Array): LogContent {
  const records: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const blockEnd = Math.min(at - (at % BLOCK_BYTES) + BLOCK_BYTES, bytes.byteLength)
    if (blockEnd - at < HEADER_BYTES && blockEnd % BLOCK_BYTES === 0) {
      if (bytes.subarray(at, blockEnd).some((byte) => byte !== 0)) return stop(bytes, at, records)
      at = blockEnd
      continue
    }
    const fragment = readFragment(bytes.subarray(at, blockEnd))
    const isStart = fragment?.type === FULL || fragment?.type === FIRST
    if (fragment === undefined || isStart !== (parts.length === 0)) return stop(bytes, at, records)
    parts.push(fragment.data)
    at += HEADER_BYTES + fragment.data.byteLength
    if (fragment.type === FULL || fragment.type === LAST) {
      records.push(join(parts))
      parts = []
    }
  }
  return { records, end: parts.length === 0 ? 'whole' : 'torn' }
}

/**
 * `broken` when a readable fragment follows: anywhere in this block, because the damage may be in a length, or at
 * the start of a later one. A few milliseconds, and only for a log that is not whole.
 */
function stop(bytes: Uint8Array, at: number, records: readonly Uint8Array[]): LogContent {
  const nextBlock = at - (at % BLOCK_BYTES) + BLOCK_BYTES
  const skipped = bytes.subarray(at, nextBlock)
  for (let offset = 1; offset < skipped.byteLength; offset += 1) {
    if (readFragment(skipped.subarray(offset)) !== undefined) return { records, end: 'broken' }
  }
  for (let next = nextBlock; next < bytes.byteLength; next += BLOCK_BYTES) {
    if (readFragment(bytes.subarray(next, next + BLOCK_BYTES)) !== undefined) {
      return { records, end: 'broken' }
    }
  }
  return { records, end: 'torn' }
}

/** The fragment at the start of `rest`, the remainder of a block; undefined unless its checksum holds. */
function readFragment(rest: Uint8Array): { type: number; data: Uint8Array } | undefined {
  if (rest.byteLength < HEADER_BYTES) return undefined
  const cursor = new Cursor(rest)
  const checksum = cursor.u32()
  const length = cursor.byte() + cursor.byte() * 256
  const type = cursor.byte()
  const end = HEADER_BYTES + length
  if (type < FULL || type > LAST || end > rest.byteLength) return undefined
  if (maskedCrc32c(rest.subarray(TYPE_OFFSET, end)) !== checksum) return undefined
  return { type, data: rest.subarray(HEADER_BYTES, end) }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
