// Bytes in and out of MLS. ts-mls 1.6.4 decodes without a limit, answers a malformed message with undefined or
// any exception, and hands out views of its input; all of that ends here.

import {
  type ClientConfig,
  type ClientState,
  type Decoder,
  decodeGroupState,
  decodeMlsMessage,
  encodeGroupState,
  encodeMlsMessage,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  type PublicMessage,
  type Welcome
} from 'ts-mls'
import { concat } from 'uint8arrays/concat'
import { GroupCryptoError } from './group-crypto.ts'
import { COMMIT_BYTES_MAX, KEY_PACKAGE_BYTES_MAX, WELCOME_BYTES_MAX } from './limits.ts'

const STATE_VERSION = 1
const SECRET_VERSION = 1
const LENGTH_BYTES = 2

function malformed(what: string, cause?: unknown): GroupCryptoError {
  return new GroupCryptoError('malformed', `not ${what}`, cause)
}

/** Decodes all of `bytes`, from a copy: the library keeps views of what it decodes, and the caller its bytes. */
function decodeAll<T>(decoder: Decoder<T>, bytes: Uint8Array, what: string): T {
  let decoded: [T, number] | undefined
  try {
    decoded = decoder(bytes.slice(), 0)
  } catch (cause) {
    throw malformed(what, cause)
  }
  if (decoded === undefined || decoded[1] !== bytes.byteLength) throw malformed(what)
  return decoded[0]
}

function decodeMessage(
  bytes: Uint8Array,
  { bytesMax, what }: { bytesMax: number; what: string }
): MLSMessage {
  if (bytes.byteLength > bytesMax) throw malformed(`${what}: more than ${bytesMax} bytes`)
  return decodeAll(decodeMlsMessage, bytes, what)
}

/** From at most 4 KiB; throws GroupCryptoError `malformed` for anything but one encoded key package. */
export function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  const what = 'a key package'
  const message = decodeMessage(bytes, { bytesMax: KEY_PACKAGE_BYTES_MAX, what })
  if (message.wireformat !== 'mls_key_package') throw malformed(what)
  return message.keyPackage
}

/** From at most 512 KiB; throws GroupCryptoError `malformed` for anything but one encoded welcome. */
export function decodeWelcome(bytes: Uint8Array): Welcome {
  const message = decodeMessage(bytes, { bytesMax: WELCOME_BYTES_MAX, what: 'a welcome' })
  if (message.wireformat !== 'mls_welcome') throw malformed('a welcome')
  return message.welcome
}

/**
 * From at most 256 KiB; throws GroupCryptoError `malformed` for anything but one encoded PublicMessage. Commits
 * travel as such inside a sealed envelope, so that policy can look before anything is applied.
 */
export function decodeCommit(bytes: Uint8Array): PublicMessage {
  const message = decodeMessage(bytes, { bytesMax: COMMIT_BYTES_MAX, what: 'a commit' })
  if (message.wireformat !== 'mls_public_message') throw malformed('a commit')
  return message.publicMessage
}

/** As an MLSMessage (RFC 9420 §6). */
export function encodeKeyPackage(keyPackage: KeyPackage): Uint8Array {
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage })
}

/** As an MLSMessage (RFC 9420 §6). */
export function encodeWelcome(welcome: Welcome): Uint8Array {
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
}

/**
 * The state without what only MLS application messages would need: past epochs' keys are in the account's
 * vault as archive keys, and nothing else of a past epoch is wanted.
 */
export function encodeState(state: ClientState): Uint8Array {
  const bytes = encodeGroupState({ ...state, historicalReceiverData: new Map() })
  return concat([Uint8Array.of(STATE_VERSION), bytes])
}

/** What `encodeState` wrote, to be used with the given checks; throws GroupCryptoError `malformed`. */
export function decodeState(bytes: Uint8Array, clientConfig: ClientConfig): ClientState {
  if (bytes[0] !== STATE_VERSION) throw malformed('a group state')
  return { ...decodeAll(decodeGroupState, bytes.subarray(1), 'a group state'), clientConfig }
}

/** The private half of a key package, with the public half that joining needs again. */
export interface KeyPackageSecret {
  readonly keyPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

function lengthPrefixed(part: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint16(0, part.byteLength)
  return concat([length, part])
}

/** version, then key package, init key, leaf key and device seed, each behind its length (2 bytes). */
export function encodeSecret({ keyPackage, privatePackage }: KeyPackageSecret): Uint8Array {
  const { initPrivateKey, hpkePrivateKey, signaturePrivateKey } = privatePackage
  const parts = [encodeKeyPackage(keyPackage), initPrivateKey, hpkePrivateKey, signaturePrivateKey]
  return concat([Uint8Array.of(SECRET_VERSION), ...parts.map(lengthPrefixed)])
}

/** What `encodeSecret` wrote; throws GroupCryptoError `malformed` for anything else. */
export function decodeSecret(bytes: Uint8Array): KeyPackageSecret {
  const parts: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 1
  while (offset + LENGTH_BYTES <= bytes.byteLength) {
    const start = offset + LENGTH_BYTES
    offset = start + view.getUint16(offset)
    if (offset <= bytes.byteLength) parts.push(bytes.slice(start, offset))
  }
  const [keyPackage, initPrivateKey, hpkePrivateKey, signaturePrivateKey, ...others] = parts
  if (
    bytes[0] !== SECRET_VERSION ||
    offset !== bytes.byteLength ||
    others.length > 0 ||
    keyPackage === undefined ||
    initPrivateKey === undefined ||
    hpkePrivateKey === undefined ||
    signaturePrivateKey === undefined
  ) {
    throw malformed('the secret of a key package')
  }
  const privatePackage = { initPrivateKey, hpkePrivateKey, signaturePrivateKey }
  return { keyPackage: decodeKeyPackage(keyPackage), privatePackage }
}
