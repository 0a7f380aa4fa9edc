// LevelDB's tables (doc/table_format.md): blocks, each followed by a type byte and a masked CRC-32C that
// LevelDB 1.20 writes but, as classic-level sets it up, never looks at. Checksums of values alone would not do: a
// flipped bit in a key, in the index or in the Bloom filter makes a record vanish without an error.
import { compare } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { maskedCrc32c } from './crc32c.ts'
import { Cursor, FormatError } from './cursor.ts'

const FOOTER_BYTES = 48
const MAGIC_OFFSET = 40
/** db/table/format.h: kTableMagicNumber, little-endian halves. */
const MAGIC_LOW = 0x8b80fb57
const MAGIC_HIGH = 0xdb477524
const TRAILER_BYTES = 5
const RESTART_BYTES = 4
const UNCOMPRESSED = 0
/** Behind the caller's key in every internal key. */
const TAG_BYTES = 8

export interface Versioned {
  readonly sequence: number
  readonly value: Uint8Array
}

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Checks every block of a table, and that the blocks are the whole file. Throws FormatError. */
export function checkTable(bytes: Uint8Array): void {
  const { metaindex, index, footerAt } = readFooter(bytes)
  // The metaindex names the Bloom filter, the index names the data.
  const named = [metaindex, index].flatMap((handle) => readHandles(bytes, handle))
  const handles = [metaindex, index, ...named].sort((a, b) => a.offset - b.offset)
  let end = 0
  for (const handle of handles) {
    if (handle.offset !== end) throw new FormatError('blocks of a table do not meet')
    readBlock(bytes, handle)
    end += handle.size + TRAILER_BYTES
  }
  if (end !== footerAt) throw new FormatError('blocks of a table do not reach its footer')
}

/** The newest value under `key` in a table; undefined when it holds none. Throws FormatError. */
export function findNewest(bytes: Uint8Array, key: Uint8Array): Versioned | undefined {
  for (const handle of readHandles(bytes, readFooter(bytes).index)) {
    for (const [internalKey, value] of readEntries(readBlock(bytes, handle))) {
      const order = compare(internalKey.subarray(0, -TAG_BYTES), key)
      // Of one key the newest version comes first (db/dbformat.h).
      if (order === 0) return { sequence: readSequence(internalKey), value }
      if (order > 0) return undefined
    }
  }
  return undefined
}

/** An internal key ends in (sequence << 8 | type), little-endian. */
function readSequence(internalKey: Uint8Array): number {
  const cursor = new Cursor(internalKey.subarray(-TAG_BYTES))
  cursor.byte()
  return cursor.u32() + cursor.byte() * 2 ** 32 + cursor.byte() * 2 ** 40
}

function readFooter(bytes: Uint8Array): { metaindex: Handle; index: Handle; footerAt: number } {
  const footerAt = bytes.byteLength - FOOTER_BYTES
  if (footerAt < 0) throw new FormatError('a table is shorter than its footer')
  const magic = new Cursor(bytes.subarray(footerAt + MAGIC_OFFSET))
  if (magic.u32() !== MAGIC_LOW || magic.u32() !== MAGIC_HIGH) {
    throw new FormatError('a table without its magic number')
  }
  const footer = new Cursor(bytes.subarray(footerAt))
  return { metaindex: readHandle(footer), index: readHandle(footer), footerAt }
}

function readHandles(bytes: Uint8Array, index: Handle): Handle[] {
  return Array.from(readEntries(readBlock(bytes, index)), ([, value]) =>
    readHandle(new Cursor(value))
  )
}

function readHandle(cursor: Cursor): Handle {
  return { offset: cursor.varint(), size: cursor.varint() }
}

function readBlock(bytes: Uint8Array, { offset, size }: Handle): Uint8Array {
  const end = offset + size
  if (end + TRAILER_BYTES > bytes.byteLength - FOOTER_BYTES) {
    throw new FormatError('a block lies outside its table')
  }
  const trailer = new Cursor(bytes.subarray(end, end + TRAILER_BYTES))
  if (trailer.byte() !== UNCOMPRESSED) throw new FormatError('a compressed block')
  if (trailer.u32() !== maskedCrc32c(bytes.subarray(offset, end + 1))) {
    throw new FormatError('the checksum of a block does not hold')
  }
  return bytes.subarray(offset, end)
}

/** Entries of a block: (shared, unshared, length) varints, rest of the key, value; then restart points. */
function* readEntries(block: Uint8Array): Generator<[key: Uint8Array, value: Uint8Array]> {
  const restarts = new Cursor(block.subarray(Math.max(0, block.byteLength - RESTART_BYTES))).u32()
  const entriesEnd = block.byteLength - RESTART_BYTES * (restarts + 1)
  if (entriesEnd < 0) throw new FormatError('a block is too short')
  const cursor = new Cursor(block.subarray(0, entriesEnd))
  let key: Uint8Array = new Uint8Array(0)
  while (!cursor.isAtEnd) {
    const shared = cursor.varint()
    const unshared = cursor.varint()
    const length = cursor.varint()
    if (shared > key.byteLength) throw new FormatError('a key shares more than there is')
    key = concat([key.subarray(0, shared), cursor.take(unshared)])
    yield [key, cursor.take(length)]
  }
}
