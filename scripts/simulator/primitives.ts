// Symbolic primitives: one hash stands for everything, so that sealing and signing cost a microsecond. Whoever runs
// this code could forge; nobody in a simulation does, and every altered byte is still found.
import type { Primitives } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'

const TAG_BYTES = 16
const HASH_BYTES = 32
const encoder = new TextEncoder()
const { sha256 } = nodePrimitives
const WHAT = {
  hmac: encoder.encode('hmac'),
  expand: encoder.encode('expand'),
  tag: encoder.encode('tag'),
  public: encoder.encode('public'),
  signature: encoder.encode('signature'),
  agreement: encoder.encode('agreement')
}

/** Lengths stand in front, so that no two lists of parts hash alike. */
function hashOf(what: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const lengths = new Uint8Array(new Uint32Array(parts.map(({ byteLength }) => byteLength)).buffer)
  return sha256(what, lengths, ...parts)
}

function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = 0; at * HASH_BYTES < length; at += 1) {
    blocks.push(hashOf(WHAT.expand, secret, salt, info, Uint8Array.of(at)))
  }
  return concat(blocks).slice(0, length)
}

const publicOf = (privateKey: Uint8Array): Uint8Array => hashOf(WHAT.public, privateKey)

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const half = hashOf(WHAT.signature, publicKey, message)
  return concat([half, half])
}

export const symbolicPrimitives: Primitives = {
  sha256,
  hmac: (key, ...parts) => hashOf(WHAT.hmac, key, ...parts),
  hkdf,
  seal(key, nonce, plaintext, data) {
    const tag = hashOf(WHAT.tag, key, nonce, plaintext, data).subarray(0, TAG_BYTES)
    return concat([plaintext, tag])
  },
  open(key, nonce, ciphertext, data) {
    if (ciphertext.byteLength < TAG_BYTES) return undefined
    const plaintext = ciphertext.slice(0, -TAG_BYTES)
    const tag = hashOf(WHAT.tag, key, nonce, plaintext, data).subarray(0, TAG_BYTES)
    return equals(tag, ciphertext.subarray(-TAG_BYTES)) ? plaintext : undefined
  },
  keyPair: (seed) => ({ publicKey: publicOf(seed), privateKey: seed }),
  sign: (privateKey, message) => signatureOf(publicOf(privateKey), message),
  verify: (publicKey, message, signature) => equals(signatureOf(publicKey, message), signature),
  agreementKey: publicOf,
  agree: (privateKey, publicKey) => {
    const own = publicOf(privateKey)
    const isFirst = Buffer.compare(own, publicKey) < 0
    return hashOf(WHAT.agreement, isFirst ? own : publicKey, isFirst ? publicKey : own)
  },
  equal: equals,
  argon2id: (passphrase, salt) => Promise.resolve(hashOf(WHAT.hmac, passphrase, salt))
}
