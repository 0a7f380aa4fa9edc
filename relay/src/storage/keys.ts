// Every key of the relay's store: one table byte, then local box integers and numbers big-endian, so that
// a scan of one box is one contiguous range in order.
import type { Range } from '@kith/node/kernel'

/** One byte a table. Never reuse a number: an old store may still hold the table it named. */
export const TABLE = {
  meta: 0x01,
  account: 0x10,
  operation: 0x11,
  box: 0x20,
  entry: 0x21,
  envelope: 0x22,
  cursor: 0x23,
  slot: 0x24,
  settings: 0x25,
  invite: 0x30,
  keyPackage: 0x40,
  lastResort: 0x41,
  sequencedGroup: 0x50,
  receipt: 0x51,
  sequencerUse: 0x52,
  suspension: 0x60
} as const

const U64_BYTES = 8
const U32_RANGE = 2 ** 32

/** Table, then parts: a number becomes 8 bytes big-endian. */
export function key(table: number, ...parts: readonly (number | Uint8Array)[]): Uint8Array {
  let length = 1
  for (const part of parts) length += typeof part === 'number' ? U64_BYTES : part.byteLength
  const bytes = new Uint8Array(length)
  bytes[0] = table
  let position = 1
  for (const part of parts) {
    if (typeof part === 'number') {
      writeNumber(bytes, position, part)
      position += U64_BYTES
    } else {
      bytes.set(part, position)
      position += part.byteLength
    }
  }
  return bytes
}

/** Every key that starts with these parts. */
export function rangeOf(table: number, ...parts: readonly (number | Uint8Array)[]): Range {
  const from = key(table, ...parts)
  return { from, to: after(from) }
}

/** The 8-byte number at an offset of a key. */
export function numberAt(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, U64_BYTES)
  return view.getUint32(0) * U32_RANGE + view.getUint32(4)
}

/** The bytes as a string that can index a Map: one character a byte. */
export function mapKey(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

function writeNumber(bytes: Uint8Array, offset: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, U64_BYTES)
  view.setUint32(0, Math.floor(value / U32_RANGE))
  view.setUint32(4, value % U32_RANGE)
}

/** The smallest key above every key with this prefix; the last table byte is far below 0xff. */
function after(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice()
  for (let position = end.byteLength - 1; position >= 0; position--) {
    const byte = end[position] as number
    if (byte < 0xff) {
      end[position] = byte + 1
      return end.subarray(0, position + 1)
    }
  }
  throw new RangeError('no key follows')
}
