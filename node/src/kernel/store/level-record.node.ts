// Records as they lie in LevelDB. classic-level serves flipped bits as data (57 of 60 flips in a table,
// measured), so every value carries a checksum over key and value. CRC-32 (IEEE, in zlib at memory speed)
// finds every burst of up to 32 bits, which is what a disk or a memory cell does, and misses a random change
// once in 2^32. It is no defence against somebody who rewrites the file: a sealed store (sealed.ts) has that.
// Covering the key too finds a value that ends up under another key.
import { crc32 } from 'node:zlib'
import { StoreError, type Write } from './store.ts'

const CHECKSUM_BYTES = 4
/** First byte of every key: the store's own records, the caller's records. */
const OWN_PREFIX = 0
const RECORD_PREFIX = 1

export type LevelOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** The LevelDB key of a caller's key. */
export function recordKey(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + key.byteLength)
  bytes[0] = RECORD_PREFIX
  bytes.set(key, 1)
  return bytes
}

/** Opposite of `recordKey`, as bytes of the caller's own. */
export function callerKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(key.subarray(1))
}

/** The LevelDB key of one of the store's own records. */
export function ownKey(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(` ${name}`)
  bytes[0] = OWN_PREFIX
  return bytes
}

/** A write in LevelDB's form; copies the caller's bytes. */
export function encodeWrite(write: Write): LevelOperation {
  const key = recordKey(write.key)
  return write.type === 'delete' ? { type: 'del', key } : encodePut(key, write.value)
}

/** Value on disk: CRC-32 of LevelDB key and value (4 bytes, big-endian), then the value. */
export function encodePut(key: Uint8Array, value: Uint8Array): LevelOperation {
  const bytes = new Uint8Array(CHECKSUM_BYTES + value.byteLength)
  bytes.set(value, CHECKSUM_BYTES)
  new DataView(bytes.buffer).setUint32(0, checksum(key, value))
  return { type: 'put', key, value: bytes }
}

/**
 * The value of a record read from LevelDB, as bytes of the caller's own.
 *
 * @throws StoreError `corrupt`, naming the first key byte or own record but no content.
 */
export function decodeValue(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const value = new Uint8Array(bytes.subarray(CHECKSUM_BYTES))
  if (bytes.byteLength >= CHECKSUM_BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getUint32(0) === checksum(key, value)) return value
  }
  throw new StoreError('corrupt', `a record of class ${classOf(key)} is not what was written`)
}

function checksum(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key))
}

/** Which kind of record a key belongs to: its leading ASCII letters, which callers use as prefix. */
function classOf(key: Uint8Array): string {
  const prefix = /^[a-z-]{1,24}/.exec(new TextDecoder('latin1').decode(key.subarray(1)))
  return `${key[0] === OWN_PREFIX ? 'own ' : ''}${prefix?.[0] ?? 'unnamed'}`
}
