// Padding before sealing, so that a relay sees size classes and not lengths. Every form is canonical: one
// plaintext has one padded form and anything else is refused, so that nobody can re-pad another's message.
import { envelope, KIB, ProtocolError } from '@kith/protocols'

/**
 * Sizes a sealed content may have before the AEAD tag. Doubling costs at most half the bytes and leaves few
 * classes to tell apart; the last one is what `ENVELOPE_BYTES_MAX` leaves beside header, seals and framing.
 */
export const CONTENT_BUCKETS_BYTES: readonly number[] = [
  256,
  512,
  KIB,
  2 * KIB,
  4 * KIB,
  8 * KIB,
  16 * KIB,
  32 * KIB,
  envelope.ENVELOPE_BYTES_MAX - 512
]

/** Tag of `SealedContent.padding`: field 3, length-delimited. */
const PADDING_TAG_BYTES = 1
/** ISO/IEC 7816-4: one marker byte, then zeros. */
const PADDING_MARKER = 0x80

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3
}

/** Length of the padding whose field takes exactly `room` bytes; undefined when no length does. */
function paddingFor(room: number): number | undefined {
  if (room === 0) return 0
  for (const lengthBytes of [1, 2, 3]) {
    const length = room - PADDING_TAG_BYTES - lengthBytes
    if (length > 0 && varintBytes(length) === lengthBytes) return length
  }
  return undefined
}

/**
 * The encoded SealedContent, exactly as long as the smallest bucket that takes it.
 * @throws ProtocolError `too-large` when it fits no bucket
 */
export function padContent(content: Uint8Array, signature: Uint8Array): Uint8Array {
  const bare = envelope.SealedContent.encode({ content, signature })
  for (const bucket of CONTENT_BUCKETS_BYTES) {
    const length = bucket < bare.byteLength ? undefined : paddingFor(bucket - bare.byteLength)
    if (length !== undefined) {
      return envelope.SealedContent.encode({ content, signature, padding: new Uint8Array(length) })
    }
  }
  throw new ProtocolError('too-large', 'content fits no envelope')
}

/** `bytes`, a marker and zeros, up to `length` bytes. The caller has made sure that they fit. */
export function padTo(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.byteLength >= length)
    throw new RangeError(`${bytes.byteLength} do not fit in ${length}`)
  const padded = new Uint8Array(length)
  padded.set(bytes)
  padded[bytes.byteLength] = PADDING_MARKER
  return padded
}

/** What `padTo` was given; undefined when these bytes are not its work. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  let last = padded.byteLength - 1
  while (last >= 0 && padded[last] === 0) last -= 1
  return padded[last] === PADDING_MARKER ? padded.subarray(0, last) : undefined
}
