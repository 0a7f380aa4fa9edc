// Keys of records: a short ASCII prefix, then big-endian integers or opaque bytes, so that byte order is the
// order of the numbers.
import { concat } from 'uint8arrays/concat'
import type { Range } from './store.ts'

const U32_BYTES = 4
const U48_BYTES = 6
const U64_BYTES = 8
const U32_MAX = 0xffff_ffff
const U48_MAX = 0xffff_ffff_ffff

/** `prefix` in ASCII followed by the parts. Parts of variable length belong at the end only. */
export function storeKey(prefix: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat([ascii(prefix), ...parts])
}

/** 4 bytes, big-endian. Throws RangeError outside 0 … 2^32 − 1. */
export function u32(value: number): Uint8Array {
  requireInteger(value, U32_MAX)
  const bytes = new Uint8Array(U32_BYTES)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** 6 bytes, big-endian: milliseconds and counters. Throws RangeError outside 0 … 2^48 − 1. */
export function u48(value: number): Uint8Array {
  requireInteger(value, U48_MAX)
  const bytes = new Uint8Array(U48_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(value / 0x1_0000_0000))
  view.setUint32(2, value % 0x1_0000_0000)
  return bytes
}

/** 8 bytes, big-endian. Throws RangeError outside 0 … 2^64 − 1, or for a number that is not a safe integer. */
export function u64(value: number | bigint): Uint8Array {
  if (typeof value === 'number') requireInteger(value, Number.MAX_SAFE_INTEGER)
  const wide = BigInt(value)
  if (wide < 0n || wide >= 1n << 64n) throw new RangeError('not an unsigned 64-bit integer')
  const bytes = new Uint8Array(U64_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, wide)
  return bytes
}

/** Opposite of `u32`, at `offset` of a key. */
export function readU32(bytes: Uint8Array, offset = 0): number {
  return viewOf(bytes).getUint32(offset)
}

/** Opposite of `u48`, at `offset` of a key. */
export function readU48(bytes: Uint8Array, offset = 0): number {
  const view = viewOf(bytes)
  return view.getUint16(offset) * 0x1_0000_0000 + view.getUint32(offset + 2)
}

/** Opposite of `u64`, at `offset` of a key. */
export function readU64(bytes: Uint8Array, offset = 0): bigint {
  return viewOf(bytes).getBigUint64(offset)
}

/** The range of all keys that begin with `prefix`; throws RangeError when there is no key after them. */
export function rangeOf(prefix: Uint8Array | string): Range {
  const from = typeof prefix === 'string' ? ascii(prefix) : prefix
  return { from, to: endOf(from) }
}

/** The smallest key greater than `key`: an exclusive bound where the port wants an inclusive one. */
export function keyAfter(key: Uint8Array): Uint8Array {
  return concat([key, new Uint8Array(1)])
}

/** The smallest key greater than every key that begins with `prefix`. */
function endOf(prefix: Uint8Array): Uint8Array {
  let length = prefix.byteLength
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1
  if (length === 0) throw new RangeError('no key follows this prefix')
  const end = prefix.slice(0, length)
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}

function ascii(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength !== text.length) throw new RangeError('a key prefix is ASCII')
  return bytes
}

function requireInteger(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`not an integer from 0 to ${max}`)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
