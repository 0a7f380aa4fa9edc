// Branded identifiers: parsed once at the edge, then trusted. Text forms: base32 (RFC 4648, lower case, no
// padding) for hashes, base58btc PeerId for devices and relays.
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { ProtocolError } from './errors.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Hash of the first operation of an account's log; 52 characters. */
export type AccountId = Branded<'AccountId'>
/** PeerId of a device: its Ed25519 public key behind the identity multihash; `12D3KooW…`. */
export type DeviceId = Branded<'DeviceId'>
/** PeerId of a relay; same form as a DeviceId. */
export type RelayId = Branded<'RelayId'>
/** Hash naming a conversation; 52 characters. */
export type ConversationId = Branded<'ConversationId'>
/** SHA-256 of an encoded envelope, which is also the id of the message inside; 52 characters. */
export type MessageId = Branded<'MessageId'>

export const HASH_BYTES = 32
export const PUBLIC_KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

/** Identity multihash (0x00, 36 bytes) of a protobuf public key: type Ed25519, 32 bytes of data. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

function hashToText(bytes: Uint8Array, what: string): string {
  if (bytes.byteLength !== HASH_BYTES) {
    throw new ProtocolError('malformed', `${what} must be ${HASH_BYTES} bytes`)
  }
  return toText(bytes, 'base32')
}

function textToHash(text: string): Uint8Array {
  return fromString(text, 'base32')
}

/** 52 characters carry 260 bits; the last four are zero in the one canonical form, so it ends in a or q. */
const HASH_TEXT = /^[a-z2-7]{51}[aq]$/

function parseHash(text: string, what: string): string {
  if (!HASH_TEXT.test(text)) {
    throw new ProtocolError('malformed', `not ${what}`)
  }
  return text
}

export const accountIdOf = (bytes: Uint8Array): AccountId =>
  hashToText(bytes, 'an account id') as AccountId
export const conversationIdOf = (bytes: Uint8Array): ConversationId =>
  hashToText(bytes, 'a conversation id') as ConversationId
export const messageIdOf = (bytes: Uint8Array): MessageId =>
  hashToText(bytes, 'a message id') as MessageId

/** 32 bytes of an account, conversation or message id. */
export function idBytes(id: AccountId | ConversationId | MessageId): Uint8Array {
  return textToHash(id)
}

/** Throws `malformed` unless the text is an account id in its one canonical form. */
export const parseAccountId = (text: string): AccountId =>
  parseHash(text, 'an account id') as AccountId
export const parseConversationId = (text: string): ConversationId =>
  parseHash(text, 'a conversation id') as ConversationId
export const parseMessageId = (text: string): MessageId =>
  parseHash(text, 'a message id') as MessageId

function peerIdText(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES) {
    throw new ProtocolError('malformed', `a public key must be ${PUBLIC_KEY_BYTES} bytes`)
  }
  const bytes = new Uint8Array(PEER_ID_PREFIX.byteLength + PUBLIC_KEY_BYTES)
  bytes.set(PEER_ID_PREFIX)
  bytes.set(publicKey, PEER_ID_PREFIX.byteLength)
  return toText(bytes, 'base58btc')
}

/** From a 32-byte Ed25519 public key. */
export const deviceIdOf = (publicKey: Uint8Array): DeviceId => peerIdText(publicKey) as DeviceId
/** From a 32-byte Ed25519 public key. */
export const relayIdOf = (publicKey: Uint8Array): RelayId => peerIdText(publicKey) as RelayId

/** The 32-byte Ed25519 public key inside; throws `malformed` for any other kind of PeerId. */
export function publicKeyOf(id: DeviceId | RelayId): Uint8Array {
  return parsePeerId(id)
}

function parsePeerId(text: string): Uint8Array {
  if (!/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)) {
    throw new ProtocolError('malformed', 'not an Ed25519 peer id')
  }
  const bytes = fromString(text, 'base58btc')
  if (
    bytes.byteLength !== PEER_ID_PREFIX.byteLength + PUBLIC_KEY_BYTES ||
    !equals(bytes.subarray(0, PEER_ID_PREFIX.byteLength), PEER_ID_PREFIX)
  ) {
    throw new ProtocolError('malformed', 'not an Ed25519 peer id')
  }
  return bytes.subarray(PEER_ID_PREFIX.byteLength)
}

/** Throws ProtocolError `malformed` unless the text is the PeerId of an Ed25519 key. */
export function parseDeviceId(text: string): DeviceId {
  parsePeerId(text)
  return text as DeviceId
}

/** Throws ProtocolError `malformed` unless the text is the PeerId of an Ed25519 key. */
export function parseRelayId(text: string): RelayId {
  parsePeerId(text)
  return text as RelayId
}
