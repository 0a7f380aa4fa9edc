// Fixed keys and hashes for vectors. The seeds are public on purpose: nothing real may ever use them.
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  verify
} from 'node:crypto'
import type { Checks, Hmac } from '@kith/protocols'

/** PKCS #8 and SPKI headers of an Ed25519 key (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export interface Signer {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** `length` bytes of one value. */
export function filled(value: number, length = 32): Uint8Array {
  return new Uint8Array(length).fill(value)
}

/** The signer whose seed is 32 bytes of this value. */
export function signerOf(value: number): Signer {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_PREFIX, filled(value)]),
    format: 'der',
    type: 'pkcs8'
  })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(PUBLIC_PREFIX.byteLength)),
    sign: (message) => new Uint8Array(sign(null, message, key))
  }
}

export const checks: Checks = {
  sha256: (...parts) => {
    const hash = createHash('sha256')
    for (const part of parts) {
      hash.update(part)
    }
    return new Uint8Array(hash.digest())
  },
  verify: (publicKey, message, signature) => {
    const key = createPublicKey({
      key: Buffer.concat([PUBLIC_PREFIX, publicKey]),
      format: 'der',
      type: 'spki'
    })
    return verify(null, message, key, signature)
  }
}

export const hmac: Hmac = (key, ...parts) => {
  const mac = createHmac('sha256', key)
  for (const part of parts) {
    mac.update(part)
  }
  return new Uint8Array(mac.digest())
}
