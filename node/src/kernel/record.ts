// Records of a device's own store: JSON with bytes, written and read only by this program. Nothing from the
// network is decoded here.
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'

const BYTES = '$bytes'

/** UTF-8 JSON; a Uint8Array anywhere inside becomes base64. */
export function encodeRecord(value: unknown): Uint8Array {
  // Looked up in its holder: a Buffer, which decoded bytes often are, has become an object with a list of numbers
  // by the time the replacer is given it.
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    const original = this[key]
    return original instanceof Uint8Array ? { [BYTES]: toText(original, 'base64') } : item
  })
  return new TextEncoder().encode(json)
}

/** Opposite of `encodeRecord`. The caller names the type it wrote. */
export function decodeRecord<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes), (_key, item: unknown) =>
    isBytes(item) ? fromString(item[BYTES], 'base64') : item
  ) as T
}

function isBytes(item: unknown): item is { [BYTES]: string } {
  return typeof item === 'object' && item !== null && BYTES in item
}
