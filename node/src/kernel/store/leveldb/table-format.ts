// LevelDB's tables (doc/table_format.md): blocks, each followed by a type byte and a masked CRC-32C that
// LevelDB 1.20 writes but, as classic-level sets it up, never looks at. Nor would it matter only for values: a
// flipped bit in a key, in the index or in the Bloom filter makes a record vanish without an error.
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

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Checks every block of a table, and that the blocks are the whole file. Throws FormatError. */
export function checkTable(bytes: Uint8Array): void {
  const footerAt = bytes.byteLength - FOOTER_BYTES
  if (footerAt < 0) throw new FormatError('a table is shorter than its footer')
  const footer = new Cursor(bytes.subarray(footerAt))
  const handles: Handle[] = [readHandle(footer), readHandle(footer)]
  const magic = new Cursor(bytes.subarray(footerAt + MAGIC_OFFSET))
  if (magic.u32() !== MAGIC_LOW || magic.u32() !== MAGIC_HIGH) {
    throw new FormatError('a table without its magic number')
  }
  // The metaindex names the Bloom filter, the index names the data.
  for (const index of handles.slice()) handles.push(...readIndex(readBlock(bytes, index)))
  const inOrder = handles.sort((a, b) => a.offset - b.offset)
  let end = 0
  for (const handle of inOrder) {
    if (handle.offset !== end) throw new FormatError('blocks of a table do not meet')
    readBlock(bytes, handle)
    end += handle.size + TRAILER_BYTES
  }
  if (end !== footerAt) throw new FormatError('blocks of a table do not reach its footer')
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

/** Handles in an index block: entries of (shared, unshared, length) varints, key rest, handle; then restarts. */
function readIndex(block: Uint8Array): Handle[] {
  const restarts = new Cursor(block.subarray(Math.max(0, block.byteLength - RESTART_BYTES))).u32()
  const entriesEnd = block.byteLength - RESTART_BYTES * (restarts + 1)
  if (entriesEnd < 0) throw new FormatError('an index block is too short')
  const cursor = new Cursor(block.subarray(0, entriesEnd))
  const handles: Handle[] = []
  while (!cursor.isAtEnd) {
    cursor.varint()
    const unshared = cursor.varint()
    const length = cursor.varint()
    cursor.take(unshared)
    handles.push(readHandle(new Cursor(cursor.take(length))))
  }
  return handles
}
