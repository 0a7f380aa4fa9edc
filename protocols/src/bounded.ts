// The one bounded decoder: every byte from the network and every record read back from a store passes it.
import { MaxLengthError, type Reader } from 'protons-runtime'
import { BoundedReader, BudgetError } from './bounded-reader.ts'
import type { Codec } from './define.ts'
import { ProtocolError } from './errors.ts'

/** The decoding half of a codec. */
export type Decoder<T> = Pick<Codec<T>, 'decode' | 'codec'>

/**
 * Decodes at most `bytesMax` bytes. Throws ProtocolError and nothing else: `too-large` for a message of more
 * bytes, elements or fields than allowed, `malformed` for anything that is not an encoding of the message.
 * Byte fields of the result are views into `bytes`.
 */
export function decodeBounded<T>(codec: Decoder<T>, bytes: Uint8Array, bytesMax: number): T {
  if (bytes.byteLength > bytesMax) {
    throw new ProtocolError('too-large', `message of more than ${bytesMax} bytes`)
  }
  try {
    // A codec without a generated one behind it is its own author's to bound.
    return codec.codec === undefined
      ? codec.decode(bytes)
      : codec.codec().decode(new BoundedReader(bytes) as unknown as Reader)
  } catch (cause) {
    if (cause instanceof ProtocolError) {
      throw cause
    }
    if (cause instanceof MaxLengthError || cause instanceof BudgetError) {
      throw new ProtocolError('too-large', 'message of too many elements', { cause })
    }
    throw new ProtocolError('malformed', 'not an encoding of the expected message', { cause })
  }
}

/** Returns `value`; throws ProtocolError `malformed` unless it has exactly `length` bytes. */
export function requireBytes(value: Uint8Array, length: number, what: string): Uint8Array {
  if (value.byteLength !== length) {
    throw new ProtocolError('malformed', `${what} must be ${length} bytes`)
  }
  return value
}
