// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of LevelDB's own files; node:zlib has CRC-32 only.
// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005).

/** Reversed Castagnoli polynomial. */
const POLYNOMIAL = 0x82f63b78
const SLICES = 8
const TABLE_SIZE = 256
/** LevelDB stores checksums masked, because a checksum over bytes that hold checksums is weak (util/crc32c.h). */
const MASK_DELTA = 0xa282ead8

const tables = createTables()

/** CRC-32C of `bytes`, continuing from the CRC-32C of what came before them. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let crc = ~previous
  let at = 0
  for (const end = bytes.length - (bytes.length % SLICES); at < end; at += SLICES) {
    crc ^= at4(bytes, at)
    crc =
      lookUp(t7, crc & 0xff) ^
      lookUp(t6, (crc >>> 8) & 0xff) ^
      lookUp(t5, (crc >>> 16) & 0xff) ^
      lookUp(t4, crc >>> 24) ^
      lookUp(t3, bytes[at + 4] as number) ^
      lookUp(t2, bytes[at + 5] as number) ^
      lookUp(t1, bytes[at + 6] as number) ^
      lookUp(t0, bytes[at + 7] as number)
  }
  for (; at < bytes.length; at += 1) {
    crc = lookUp(t0, (crc ^ (bytes[at] as number)) & 0xff) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

/** The checksum as LevelDB stores it. */
export function maskedCrc32c(bytes: Uint8Array, previous = 0): number {
  const crc = crc32c(bytes, previous)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

function at4(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function lookUp(table: Int32Array | undefined, index: number): number {
  return (table as Int32Array)[index] as number
}

function createTables(): Int32Array[] {
  const first = new Int32Array(TABLE_SIZE)
  for (let value = 0; value < TABLE_SIZE; value += 1) {
    let crc = value
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    first[value] = crc
  }
  const all = [first]
  for (let slice = 1; slice < SLICES; slice += 1) {
    const before = all[slice - 1] as Int32Array
    all.push(before.map((crc) => lookUp(first, crc & 0xff) ^ (crc >>> 8)))
  }
  return all
}
