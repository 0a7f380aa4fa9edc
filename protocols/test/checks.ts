// The checks that pure code takes, from Node's own cryptography, and signers for tests.
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  verify
} from 'node:crypto'
import type { Checks, Hmac } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'

/** PKCS #8 and SPKI headers of an Ed25519 key (RFC 8410); the 32 bytes of seed or public key follow. */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

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
      key: Buffer.from(concat([PUBLIC_PREFIX, publicKey])),
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

export interface Signer {
  /** 32 bytes, Ed25519 */
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** The signer whose 32-byte seed is this number (0 to 255) in every byte. */
export function signer(number: number): Signer {
  const seed = new Uint8Array(32).fill(number)
  const key = createPrivateKey({
    key: Buffer.from(concat([PRIVATE_PREFIX, seed])),
    format: 'der',
    type: 'pkcs8'
  })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(PUBLIC_PREFIX.byteLength)),
    sign: (message) => new Uint8Array(sign(null, message, key))
  }
}
