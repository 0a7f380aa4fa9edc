// What stands in a key file: the secrets in plain, or wrapped under a passphrase (Argon2id, AES-256-GCM), with a
// checksum that tells a damaged file from a wrong passphrase.

import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { UserError } from '../api.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import { type NodeSecrets, SEED_BYTES, STORE_KEY_BYTES } from './keys.ts'
import { KEY_FILE_LABEL } from './labels.ts'

const VERSION = 1
/** Names cost and kind of the derivation (Primitives.argon2id), so that a later version can raise it. */
const DERIVATION = 'argon2id-64mib-3-1'
const SALT_BYTES = 16
/** Zero is safe: the key comes from a fresh salt and seals once. */
const ZERO_NONCE = new Uint8Array(12)
const AEAD_TAG_BYTES = 16
const SECRETS_BYTES = SEED_BYTES + STORE_KEY_BYTES
const CHECKSUM_BYTES = 32

interface Plain {
  readonly deviceSeed: string
  readonly storeKey: string
}

interface Wrapped {
  readonly derivation: string
  readonly salt: string
  readonly sealed: string
}

interface KeyFile {
  readonly version: number
  readonly plain?: Plain
  readonly wrapped?: Wrapped
}

const encoder = new TextEncoder()

const toBase64 = (bytes: Uint8Array): string => toText(bytes, 'base64pad')

/** How a passphrase counts: as typed on any keyboard and system, so in one normal form. */
function passphraseBytes(passphrase: string): Uint8Array {
  const bytes = encoder.encode(passphrase.normalize('NFKC'))
  if (bytes.byteLength === 0) {
    throw new UserError('passphrase-empty', 'The passphrase is empty.', {
      hint: 'Choose one, or leave the passphrase out to keep the keys unprotected.'
    })
  }
  return bytes
}

function checksumOf(file: KeyFile, { sha256 }: Primitives): Uint8Array {
  const { version, plain, wrapped } = file
  const content = isRecord(plain)
    ? [plain.deviceSeed, plain.storeKey]
    : [wrapped?.derivation, wrapped?.salt, wrapped?.sealed]
  const kind = isRecord(plain) ? 'plain' : 'wrapped'
  return sha256(KEY_FILE_LABEL, encoder.encode(JSON.stringify([version, kind, ...content])))
}

/** Authenticated with the secrets: version, derivation and salt as they stand in the file. */
function wrapData({ derivation, salt }: Omit<Wrapped, 'sealed'>): Uint8Array {
  return concat([KEY_FILE_LABEL, encoder.encode(JSON.stringify([VERSION, derivation, salt]))])
}

async function wrap(
  secrets: NodeSecrets,
  options: { passphrase: string; primitives: Primitives; random: Random }
): Promise<Wrapped> {
  const { passphrase, primitives, random } = options
  const saltBytes = random.bytes(SALT_BYTES)
  const key = await primitives.argon2id(passphraseBytes(passphrase), saltBytes)
  const header = { derivation: DERIVATION, salt: toBase64(saltBytes) }
  const plaintext = concat([secrets.deviceSeed, secrets.storeKey])
  const sealed = primitives.seal(key, ZERO_NONCE, plaintext, wrapData(header))
  return { ...header, sealed: toBase64(sealed) }
}

/** The text of a key file. Without a passphrase the secrets stand in it unprotected. */
export async function encodeKeyFile(
  secrets: NodeSecrets,
  options: { passphrase: string | undefined; primitives: Primitives; random: Random }
): Promise<string> {
  const { passphrase, primitives, random } = options
  const file: KeyFile =
    passphrase === undefined
      ? {
          version: VERSION,
          plain: {
            deviceSeed: toBase64(secrets.deviceSeed),
            storeKey: toBase64(secrets.storeKey)
          }
        }
      : { version: VERSION, wrapped: await wrap(secrets, { passphrase, primitives, random }) }
  const checksum = toText(checksumOf(file, primitives), 'hex')
  return `${JSON.stringify({ ...file, checksum }, undefined, 2)}\n`
}

function corrupt(cause?: unknown): UserError {
  return new UserError('key-file-corrupt', 'The key file is damaged.', {
    hint: 'Restore keys.json from a copy, or recover the account with its recovery words.',
    cause
  })
}

/** Bytes of a base64 or hexadecimal field of exactly this length; throws `key-file-corrupt` for anything else. */
function field(value: unknown, length: number, base: 'base64pad' | 'hex'): Uint8Array {
  try {
    const bytes = fromString(value as string, base)
    if (bytes.byteLength === length) return bytes
  } catch (cause) {
    throw corrupt(cause)
  }
  throw corrupt()
}

function isRecord<T>(value: T): value is NonNullable<T> {
  return typeof value === 'object' && value !== null
}

function parse(text: string, primitives: Primitives): KeyFile {
  let file: (KeyFile & { readonly checksum?: unknown }) | null
  try {
    file = JSON.parse(text)
  } catch (cause) {
    throw corrupt(cause)
  }
  if (!isRecord(file) || !Number.isInteger(file.version)) throw corrupt()
  if (file.version > VERSION) {
    throw new UserError('key-file-version', 'A later version of Kith wrote the key file.', {
      hint: 'Install that version, or a later one.'
    })
  }
  if (isRecord(file.plain) === isRecord(file.wrapped)) throw corrupt()
  const checksum = field(file.checksum, CHECKSUM_BYTES, 'hex')
  if (!primitives.equal(checksum, checksumOf(file, primitives))) throw corrupt()
  return file
}

/** Says whether the secrets are wrapped. Throws as `decodeKeyFile` does for a file that is none. */
export function isWrapped(text: string, primitives: Primitives): boolean {
  return isRecord(parse(text, primitives).wrapped)
}

async function unwrap(
  wrapped: Wrapped,
  { passphrase, primitives }: { passphrase: string | undefined; primitives: Primitives }
): Promise<NodeSecrets> {
  const salt = field(wrapped.salt, SALT_BYTES, 'base64pad')
  const sealed = field(wrapped.sealed, SECRETS_BYTES + AEAD_TAG_BYTES, 'base64pad')
  if (wrapped.derivation !== DERIVATION) throw corrupt()
  if (passphrase === undefined) {
    throw new UserError('passphrase-needed', 'The keys are protected by a passphrase.', {
      hint: 'Give the passphrase that was chosen when the account was created.'
    })
  }
  const key = await primitives.argon2id(passphraseBytes(passphrase), salt)
  const secrets = primitives.open(key, ZERO_NONCE, sealed, wrapData(wrapped))
  if (secrets === undefined) {
    throw new UserError('wrong-passphrase', 'The passphrase is wrong.', {
      hint: 'Check the keyboard layout and caps lock, and try again.'
    })
  }
  return { deviceSeed: secrets.slice(0, SEED_BYTES), storeKey: secrets.slice(SEED_BYTES) }
}

/**
 * The secrets in the text of a key file.
 * @throws UserError `key-file-corrupt`, `key-file-version`, `passphrase-needed`, `wrong-passphrase`
 */
export async function decodeKeyFile(
  text: string,
  options: { passphrase: string | undefined; primitives: Primitives }
): Promise<NodeSecrets> {
  const { plain, wrapped } = parse(text, options.primitives)
  if (isRecord(wrapped)) return unwrap(wrapped, options)
  return {
    deviceSeed: field(plain?.deviceSeed, SEED_BYTES, 'base64pad'),
    storeKey: field(plain?.storeKey, STORE_KEY_BYTES, 'base64pad')
  }
}
