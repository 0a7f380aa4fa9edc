// Bytes of the symbolic twin: JSON behind its kind, with a MAC that only twins of one seed can make.
import { concat } from 'uint8arrays/concat'
import type { Primitives } from '../kernel/primitives.ts'
import { GroupCryptoError } from './group-crypto.ts'

const MAC_BYTES = 32

export interface SymbolicCodec {
  encode(kind: string, value: object): Uint8Array
  /** Throws GroupCryptoError `malformed` unless a twin of the same seed encoded it as this kind. */
  decode<T>(kind: string, bytes: Uint8Array, bytesMax: number): T
  /** 32 bytes that nobody but twins can compute. */
  derive(input: Uint8Array): Uint8Array
}

/** Codecs of one seed (any length) read each other; the same values give the same bytes. */
export function createSymbolicCodec({
  primitives,
  seed
}: {
  readonly primitives: Primitives
  readonly seed: Uint8Array
}): SymbolicCodec {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const key = (use: string) => primitives.hmac(seed, encoder.encode(use))
  const macKey = key('mac')
  const deriveKey = key('derive')
  const macOf = (kind: string, body: Uint8Array) =>
    primitives.hmac(macKey, encoder.encode(`${kind}\0`), body)

  return {
    encode(kind, value) {
      const body = encoder.encode(JSON.stringify(value))
      return concat([body, macOf(kind, body)])
    },

    decode(kind, bytes, bytesMax) {
      const length = bytes.byteLength - MAC_BYTES
      const isMade =
        length > 0 &&
        bytes.byteLength <= bytesMax &&
        primitives.equal(macOf(kind, bytes.subarray(0, length)), bytes.subarray(length))
      if (!isMade) throw new GroupCryptoError('malformed', `not a ${kind}`)
      return JSON.parse(decoder.decode(bytes.subarray(0, length)))
    },

    derive: (input) => primitives.hmac(deriveKey, input)
  }
}
