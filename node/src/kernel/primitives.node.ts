// The primitives on Node's own OpenSSL. Everything here is a thin call into node:crypto; the only state is a
// bounded cache of imported Ed25519 keys, because importing a key costs more than using it. Symmetric keys are
// wrapped before use: Node tells raw bytes from a key by a failure that costs more than the MAC (12.6 µs
// against 4.5 µs).
import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify
} from 'node:crypto'
import type { KeyPair, Primitives } from './primitives.ts'
import { isSmallOrder } from './small-order.ts'

const AES_KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SEED_BYTES = 32
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** RFC 9106 §4, second recommendation (64 MiB, 3 passes) at one lane, so that a browser costs the same. */
const ARGON2_MEMORY_KIB = 64 * 1_024
const ARGON2_PASSES = 3
const ARGON2_LANES = 1
const ARGON2_OUTPUT_BYTES = 32
/** node:crypto refuses shorter salts; RFC 9106 §3.1 recommends 16. */
const ARGON2_SALT_BYTES_MIN = 16

/** DER of PKCS #8 (RFC 8410 §7) up to the 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
/** DER of SubjectPublicKeyInfo (RFC 8410 §4) up to the 32-byte public key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** The same two for X25519. */
const AGREEMENT_PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const AGREEMENT_SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/**
 * Imported keys kept. A device verifies for the members of its busy conversations (250 accounts at most, few of
 * them at once) and a relay for the devices connected now; about 1 KiB each.
 */
const KEYS_MAX = 512
/** Own keys: the device's, and during recovery the recovery key. Few, so that a seed does not linger. */
const PRIVATE_KEYS_MAX = 4

/** Least recently used goes first; a Map keeps the order of insertion. */
function createKeyCache(entriesMax: number, load: (bytes: Uint8Array) => KeyObject) {
  const entries = new Map<string, KeyObject>()
  return (bytes: Uint8Array): KeyObject => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = entries.get(name)
    if (known !== undefined) entries.delete(name)
    else if (entries.size >= entriesMax) entries.delete(entries.keys().next().value as string)
    const key = known ?? load(bytes)
    entries.set(name, key)
    return key
  }
}

const publicKeyOf = createKeyCache(KEYS_MAX, (bytes) =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
)

const privateKeyOf = createKeyCache(PRIVATE_KEYS_MAX, (seed) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
)

function requireLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.byteLength !== length) {
    throw new RangeError(`${what} must be ${length} bytes, not ${bytes.byteLength}`)
  }
}

/** A plain Uint8Array over the same memory: a Buffer would compare and serialise differently. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  let length = 0
  for (const part of parts) length += part.byteLength
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  data: Uint8Array
): Uint8Array {
  requireLength(key, AES_KEY_BYTES, 'a key')
  requireLength(nonce, NONCE_BYTES, 'a nonce')
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce)
  cipher.setAAD(data)
  const body = cipher.update(plaintext)
  const sealed = new Uint8Array(plaintext.byteLength + TAG_BYTES)
  sealed.set(body)
  cipher.final()
  sealed.set(cipher.getAuthTag(), plaintext.byteLength)
  return sealed
}

function open(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  data: Uint8Array
): Uint8Array | undefined {
  requireLength(key, AES_KEY_BYTES, 'a key')
  requireLength(nonce, NONCE_BYTES, 'a nonce')
  if (ciphertext.byteLength < TAG_BYTES) return undefined
  const bodyLength = ciphertext.byteLength - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, {
    authTagLength: TAG_BYTES
  })
  decipher.setAAD(data)
  decipher.setAuthTag(ciphertext.subarray(bodyLength))
  const plaintext = decipher.update(ciphertext.subarray(0, bodyLength))
  try {
    decipher.final()
  } catch {
    // The only thing `final` can refuse is the tag: these bytes do not belong together.
    return undefined
  }
  return plain(plaintext)
}

function keyPair(seed: Uint8Array): KeyPair {
  requireLength(seed, SEED_BYTES, 'an Ed25519 seed')
  const der = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })
  return { publicKey: new Uint8Array(der.subarray(SPKI_PREFIX.byteLength)), privateKey: seed }
}

function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES || signature.byteLength !== SIGNATURE_BYTES) {
    return false
  }
  // Under a key of small order one signature holds for any message. Libraries differ in whether they notice,
  // and every implementation of the port has to give the same answer.
  if (isSmallOrder(publicKey)) return false
  return verify(null, message, publicKeyOf(publicKey), signature)
}

/** Used once each, so that no cache keeps them. */
function agreementPrivateKey(seed: Uint8Array): KeyObject {
  requireLength(seed, SEED_BYTES, 'an X25519 private key')
  const key = Buffer.concat([AGREEMENT_PKCS8_PREFIX, seed])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function agreementKey(privateKey: Uint8Array): Uint8Array {
  const der = createPublicKey(agreementPrivateKey(privateKey)).export({
    format: 'der',
    type: 'spki'
  })
  return new Uint8Array(der.subarray(AGREEMENT_SPKI_PREFIX.byteLength))
}

function agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES) return undefined
  const key = Buffer.concat([AGREEMENT_SPKI_PREFIX, publicKey])
  try {
    return plain(
      diffieHellman({
        privateKey: agreementPrivateKey(privateKey),
        publicKey: createPublicKey({ key, format: 'der', type: 'spki' })
      })
    )
  } catch {
    // OpenSSL refuses a public key of small order, under which every private key gives the same.
    return undefined
  }
}

function deriveFromPassphrase(passphrase: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  if (salt.byteLength < ARGON2_SALT_BYTES_MIN) {
    throw new RangeError(`a salt must have at least ${ARGON2_SALT_BYTES_MIN} bytes`)
  }
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: passphrase,
        nonce: salt,
        parallelism: ARGON2_LANES,
        tagLength: ARGON2_OUTPUT_BYTES,
        memory: ARGON2_MEMORY_KIB,
        passes: ARGON2_PASSES
      },
      (error, key) => (error === null ? resolve(plain(key)) : reject(error))
    )
  })
}

/**
 * Node's implementation of the port. Keys, nonces and seeds of a wrong length are a caller's mistake and throw
 * RangeError; whatever a peer controls (ciphertext, public key, signature) only ever gives undefined or false.
 */
export const nodePrimitives: Primitives = {
  sha256(...parts) {
    // One call hashes in 0.85 µs what a hash object takes 1.4 µs for.
    return plain(hash('sha256', joined(parts), 'buffer'))
  },
  hmac(key, ...parts) {
    const mac = createHmac('sha256', createSecretKey(key))
    for (const part of parts) mac.update(part)
    return plain(mac.digest())
  },
  hkdf: (secret, salt, info, length) =>
    new Uint8Array(hkdfSync('sha256', secret, salt, info, length)),
  seal,
  open,
  keyPair,
  sign(privateKey, message) {
    requireLength(privateKey, SEED_BYTES, 'an Ed25519 seed')
    return plain(sign(null, message, privateKeyOf(privateKey)))
  },
  verify: verifySignature,
  agreementKey,
  agree,
  equal: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
  argon2id: deriveFromPassphrase
}
