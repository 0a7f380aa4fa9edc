// Fixed-size numbers inside what is hashed or signed, where no protobuf freedom may remain.

/** 8 bytes, big-endian. Throws RangeError for what is not a safe, non-negative integer: a caller's mistake. */
export function uint64Bytes(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`not an unsigned integer: ${value}`)
  }
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
