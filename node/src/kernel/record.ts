// Records of a device's own store: JSON, and behind it the bytes that it refers to. Written and read only by this
// program; nothing from the network is decoded here. Bytes stay bytes, because writing them as text cost more than
// everything else about a record.

const BYTES = '$bytes'
/** Length of the JSON, big-endian. */
const HEADER_BYTES = 4

/** Length of the JSON (4 bytes), UTF-8 JSON, then each Uint8Array from anywhere inside, one after the other. */
export function encodeRecord(value: unknown): Uint8Array {
  const parts: Uint8Array[] = []
  let bytesLength = 0
  // Looked up in its holder: a Buffer, which decoded bytes often are, has become an object with a list of numbers
  // by the time the replacer is given it.
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    const original = this[key]
    if (!(original instanceof Uint8Array)) return item
    const from = bytesLength
    bytesLength += original.byteLength
    parts.push(original)
    return { [BYTES]: [from, bytesLength] }
  })
  const text = new TextEncoder().encode(json)
  const record = new Uint8Array(HEADER_BYTES + text.byteLength + bytesLength)
  new DataView(record.buffer).setUint32(0, text.byteLength)
  record.set(text, HEADER_BYTES)
  let offset = HEADER_BYTES + text.byteLength
  for (const part of parts) {
    record.set(part, offset)
    offset += part.byteLength
  }
  return record
}

/** Opposite of `encodeRecord`. The caller names the type it wrote. Throws RangeError or SyntaxError on other bytes. */
export function decodeRecord<T>(record: Uint8Array): T {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const bytesFrom = HEADER_BYTES + view.getUint32(0)
  if (bytesFrom > record.byteLength) throw new RangeError('a record is cut off')
  const json = new TextDecoder().decode(record.subarray(HEADER_BYTES, bytesFrom))
  const bytes = record.subarray(bytesFrom)
  return JSON.parse(json, (_key, item: unknown) =>
    isReference(item) ? cut(bytes, item[BYTES]) : item
  ) as T
}

/** A copy: what is read from a record must not keep the whole of it. */
function cut(bytes: Uint8Array, [from, to]: readonly [number, number]): Uint8Array {
  if (!(from >= 0 && from <= to && to <= bytes.byteLength)) {
    throw new RangeError('a record refers to bytes that it does not have')
  }
  return new Uint8Array(bytes.subarray(from, to))
}

function isReference(item: unknown): item is { [BYTES]: readonly [number, number] } {
  if (typeof item !== 'object' || item === null || !(BYTES in item)) return false
  const reference = item[BYTES]
  return Array.isArray(reference) && reference.length === 2 && reference.every(Number.isSafeInteger)
}
