// Decoding what a seal protected: bounded, and with one answer for everything malformed.
import { type Decoder, decodeBounded, ProtocolError } from '@kith/protocols'

/** The decoded message; undefined when the bytes exceed `bytesMax` or do not decode. */
export function decodeOrUndefined<T>(
  codec: Decoder<T>,
  bytes: Uint8Array,
  bytesMax: number
): T | undefined {
  try {
    return decodeBounded(codec, bytes, bytesMax)
  } catch (error) {
    // How it is malformed makes no difference to a caller: it does not open.
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
