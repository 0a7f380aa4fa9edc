// Noise without an exception for each piece of input. Its reader finds out that no further message has arrived
// by throwing a RangeError, whose stack trace takes longer than the decryption of a small message.
import type { ConnectionEncrypter } from '@libp2p/interface'
import { type NoiseComponents, type NoiseInit, noise } from '@libp2p/noise'

/** What the reader of an encrypted connection looks like inside; anything else is left as it is. */
interface EncryptedConnection {
  decoder?: { lengthDecoder?: LengthDecoder }
}

interface Bytes {
  readonly byteLength: number
}

type LengthDecoder = (data: Bytes) => number

/** A length is two bytes, big-endian (Noise specification, "Message format" of libp2p). */
const LENGTH_BYTES = 2

/** Only its class matters to the reader, which catches it and waits for more. */
const NOT_YET = new RangeError('no complete length yet')

/** Noise as `@libp2p/noise` makes it, same options, same bytes. */
export function cheapNoise(init?: NoiseInit): (components: NoiseComponents) => ConnectionEncrypter {
  return (components) => {
    const encrypter = noise(init)(components)
    const { secureInbound, secureOutbound } = encrypter
    encrypter.secureInbound = async (...given) => {
      const secured = await secureInbound.apply(encrypter, given)
      replaceLengthDecoder(secured.connection)
      return secured
    }
    encrypter.secureOutbound = async (...given) => {
      const secured = await secureOutbound.apply(encrypter, given)
      replaceLengthDecoder(secured.connection)
      return secured
    }
    return encrypter
  }
}

function replaceLengthDecoder(connection: EncryptedConnection | object): void {
  const decoder = 'decoder' in connection ? connection.decoder : undefined
  const original = decoder?.lengthDecoder
  if (decoder === undefined || typeof original !== 'function') return
  decoder.lengthDecoder = (data) => {
    if (data.byteLength < LENGTH_BYTES) throw NOT_YET
    return original(data)
  }
}
