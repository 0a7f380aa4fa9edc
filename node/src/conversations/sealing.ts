// Envelopes: sealing a message for everybody who holds the epoch's archive key, and opening one. Every key is
// derived for one envelope alone, so nonces are zero and no state is kept. See protocols/src/envelope/README.md.
import {
  type AccountId,
  accountIdOf,
  type DeviceId,
  deviceIdOf,
  HASH_BYTES,
  idBytes,
  LABELS,
  type MessageId,
  messageIdOf,
  ProtocolError,
  PUBLIC_KEY_BYTES,
  publicKeyOf,
  SIGNATURE_BYTES,
  uint64Bytes,
  envelope as wire
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import type { LocalDevice } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { type CheckedContent, contentFault, isCount } from './content-check.ts'
import { decodeOrUndefined } from './decoding.ts'
import { padContent, padTo, unpad } from './padding.ts'

/** Version of the sealed form: the first byte of what every seal authenticates. */
const VERSION = 1
const KEY_BYTES = 32
/** AES-GCM nonce. Zero is safe because no key seals twice: each is bound to a fresh salt. */
const ZERO_NONCE = new Uint8Array(12)
const NO_SALT = new Uint8Array(0)
/** Account, device and the longest counter take 78 bytes; always 80, so that a counter's size does not show. */
const HEADER_BYTES = 80

export interface EnvelopeToSeal {
  /** 32 bytes, of the epoch that `content` names. */
  readonly archiveKey: Uint8Array
  readonly sender: LocalDevice
  /** This device's next number in the conversation, from 1. */
  readonly counter: number
  readonly content: wire.Content
  /** 16 random bytes. A retry must not seal again: it sends the same bytes. */
  readonly salt: Uint8Array
}

export interface SealedEnvelope {
  readonly envelope: Uint8Array
  readonly id: MessageId
  /** The encoded Content, as `OpenedEnvelope.contentBytes`. */
  readonly contentBytes: Uint8Array
}

export interface OpenedEnvelope {
  readonly account: AccountId
  /** Signed by this device. Whether it belongs to the account and to the group is the caller's question. */
  readonly device: DeviceId
  readonly counter: number
  readonly content: CheckedContent
  readonly contentBytes: Uint8Array
}

interface Sender {
  /** 32 bytes */
  readonly account: Uint8Array
  /** 32 bytes, Ed25519 public key */
  readonly device: Uint8Array
  readonly counter: number
}

/** Tags by the very key object that an epoch holds: each of its messages needs the tag again. */
const epochTags = new WeakMap<Uint8Array, Uint8Array>()

/** 16 bytes that tell a holder of the archive key which epoch an envelope is of, and nobody else anything. */
export function epochTag(archiveKey: Uint8Array, primitives: Primitives): Uint8Array {
  let tag = epochTags.get(archiveKey)
  if (tag === undefined) {
    tag = primitives.hkdf(archiveKey, NO_SALT, LABELS.envelopeTag, wire.EPOCH_TAG_BYTES)
    epochTags.set(archiveKey, tag)
  }
  return tag
}

/** What both seals authenticate: version ‖ epoch tag ‖ salt, all of fixed length. */
function sealData(outer: { epochTag: Uint8Array; salt: Uint8Array }): Uint8Array {
  return concat([Uint8Array.of(VERSION), outer.epochTag, outer.salt])
}

function headerKey(archiveKey: Uint8Array, salt: Uint8Array, primitives: Primitives): Uint8Array {
  return primitives.hkdf(archiveKey, salt, LABELS.envelopeHeader, KEY_BYTES)
}

/** The key of one message and the commitment to it; the sender is part of the derivation, so none can be swapped. */
function messageKey(
  options: { archiveKey: Uint8Array; salt: Uint8Array; sender: Sender },
  primitives: Primitives
): { key: Uint8Array; commitment: Uint8Array } {
  const { account, device, counter } = options.sender
  const info = concat([LABELS.envelopeMessage, account, device, uint64Bytes(counter)])
  const length = KEY_BYTES + wire.COMMITMENT_BYTES
  const bytes = primitives.hkdf(options.archiveKey, options.salt, info, length)
  return { key: bytes.subarray(0, KEY_BYTES), commitment: bytes.subarray(KEY_BYTES) }
}

/** label ‖ epoch tag ‖ salt ‖ SHA-256(header) ‖ commitment ‖ SHA-256(content), all of fixed length. */
function messageToSign(
  parts: {
    epochTag: Uint8Array
    salt: Uint8Array
    header: Uint8Array
    commitment: Uint8Array
    content: Uint8Array
  },
  { sha256 }: Primitives
): Uint8Array {
  return concat([
    LABELS.envelopeSignature,
    parts.epochTag,
    parts.salt,
    sha256(parts.header),
    parts.commitment,
    sha256(parts.content)
  ])
}

function encodeHeader(sender: Sender): Uint8Array {
  return padTo(wire.SenderHeader.encode(sender), HEADER_BYTES)
}

/**
 * Seals one message. The bytes depend on the arguments alone: the same arguments give the same envelope.
 * @throws ProtocolError `malformed` for a content or counter that no receiver would take, `too-large` for one
 *   that fits no envelope; RangeError for a salt of a wrong length
 */
export function sealEnvelope(options: EnvelopeToSeal, primitives: Primitives): SealedEnvelope {
  const { archiveKey, salt, content, counter } = options
  const fault = isCount(counter, 1) ? contentFault(content) : 'counter'
  if (fault !== undefined) throw new ProtocolError('malformed', `content cannot be sent: ${fault}`)
  if (salt.byteLength !== wire.SALT_BYTES) throw new RangeError('a salt must be 16 bytes')

  const sender = {
    account: idBytes(options.sender.account),
    device: publicKeyOf(options.sender.device),
    counter
  }
  const outer = { epochTag: epochTag(archiveKey, primitives), salt }
  const { key, commitment } = messageKey({ archiveKey, salt, sender }, primitives)
  const header = encodeHeader(sender)
  const contentBytes = wire.Content.encode(content)
  const signature = primitives.sign(
    options.sender.privateKey,
    messageToSign({ ...outer, header, commitment, content: contentBytes }, primitives)
  )
  const data = sealData(outer)
  const bytes = wire.Envelope.encode({
    version: VERSION,
    ...outer,
    commitment,
    sealedHeader: primitives.seal(
      headerKey(archiveKey, salt, primitives),
      ZERO_NONCE,
      header,
      data
    ),
    sealedContent: primitives.seal(
      key,
      ZERO_NONCE,
      padContent(contentBytes, signature),
      concat([data, commitment])
    )
  })
  return { envelope: bytes, id: messageIdOf(primitives.sha256(bytes)), contentBytes }
}

/**
 * An envelope from the network, with its id; undefined unless the bytes are the one encoding of an envelope of
 * this version. Any other encoding of the same fields would be the same message under a second id.
 */
export function readEnvelope(
  bytes: Uint8Array,
  primitives: Primitives
): { readonly envelope: wire.Envelope; readonly id: MessageId } | undefined {
  const decoded = decodeOrUndefined(wire.Envelope, bytes, wire.ENVELOPE_BYTES_MAX)
  if (decoded === undefined || decoded.version !== VERSION) return undefined
  if (!primitives.equal(wire.Envelope.encode(decoded), bytes)) return undefined
  return { envelope: decoded, id: messageIdOf(primitives.sha256(bytes)) }
}

function openHeader(
  { envelope, archiveKey }: { envelope: wire.Envelope; archiveKey: Uint8Array },
  primitives: Primitives
): { sender: Sender; header: Uint8Array } | undefined {
  const header = primitives.open(
    headerKey(archiveKey, envelope.salt, primitives),
    ZERO_NONCE,
    envelope.sealedHeader,
    sealData(envelope)
  )
  const encoded = header?.byteLength === HEADER_BYTES ? unpad(header) : undefined
  const sender = encoded && decodeOrUndefined(wire.SenderHeader, encoded, HEADER_BYTES)
  if (header === undefined || sender === undefined) return undefined
  if (sender.account.byteLength !== HASH_BYTES) return undefined
  if (sender.device.byteLength !== PUBLIC_KEY_BYTES || !isCount(sender.counter, 1)) return undefined
  return primitives.equal(encodeHeader(sender), header) ? { sender, header } : undefined
}

/** The content bytes that the message seal holds, authenticated by key and signature but not yet decoded. */
function openContent(
  options: { envelope: wire.Envelope; archiveKey: Uint8Array; sender: Sender; header: Uint8Array },
  primitives: Primitives
): Uint8Array | undefined {
  const { envelope, archiveKey, sender, header } = options
  const { salt, commitment } = envelope
  const derived = messageKey({ archiveKey, salt, sender }, primitives)
  if (!primitives.equal(derived.commitment, commitment)) return undefined
  const plaintext = primitives.open(
    derived.key,
    ZERO_NONCE,
    envelope.sealedContent,
    concat([sealData(envelope), commitment])
  )
  if (plaintext === undefined) return undefined
  const sealed = decodeOrUndefined(wire.SealedContent, plaintext, wire.ENVELOPE_BYTES_MAX)
  if (sealed === undefined || sealed.signature.byteLength !== SIGNATURE_BYTES) return undefined
  const { content, signature } = sealed
  const signed = messageToSign({ ...envelope, header, commitment, content }, primitives)
  if (!primitives.verify(sender.device, signed, signature)) return undefined
  return primitives.equal(padContent(content, signature), plaintext) ? content : undefined
}

/**
 * Opens an envelope that `readEnvelope` accepted. Undefined for whatever does not open, without saying why:
 * another epoch's, altered anywhere, sealed by a member under another member's name, not in canonical form,
 * or with a content that breaks its limits. Everything is authenticated before it is parsed.
 */
export function openEnvelope(
  options: { readonly envelope: wire.Envelope; readonly archiveKey: Uint8Array },
  primitives: Primitives
): OpenedEnvelope | undefined {
  const { envelope, archiveKey } = options
  if (envelope.version !== VERSION || envelope.salt.byteLength !== wire.SALT_BYTES) return undefined
  if (!primitives.equal(envelope.epochTag, epochTag(archiveKey, primitives))) return undefined
  const opened = openHeader(options, primitives)
  if (opened === undefined) return undefined
  const contentBytes = openContent({ ...options, ...opened }, primitives)
  if (contentBytes === undefined) return undefined
  const content = decodeOrUndefined(wire.Content, contentBytes, wire.ENVELOPE_BYTES_MAX)
  if (content === undefined || contentFault(content) !== undefined) return undefined
  return {
    account: accountIdOf(opened.sender.account),
    device: deviceIdOf(opened.sender.device),
    counter: opened.sender.counter,
    content: content as CheckedContent,
    contentBytes
  }
}
