// Slots: replaceable statements of one device (what it holds durably), sealed for the members of an epoch. The
// relay sees a tag and a version and keeps the highest; version and tag are part of what is signed and sealed.
import {
  type AccountId,
  accountIdOf,
  type ConversationId,
  conversationIdOf,
  type DeviceId,
  deviceIdOf,
  HASH_BYTES,
  idBytes,
  LABELS,
  ProtocolError,
  PUBLIC_KEY_BYTES,
  publicKeyOf,
  requireAddresses,
  SIGNATURE_BYTES,
  uint64Bytes,
  envelope as wire
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import type { LocalDevice } from '../groups/group-crypto.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { isCount } from './content-check.ts'
import { decodeOrUndefined } from './decoding.ts'
import { padTo, unpad } from './padding.ts'

const VERSION = 1
const KEY_BYTES = 32
/** Zero is safe: the key is bound to a fresh salt and seals once. */
const ZERO_NONCE = new Uint8Array(12)
const NO_SALT = new Uint8Array(0)
const AEAD_TAG_BYTES = 16
/** Room for salt, tag and framing in `SLOT_BYTES_MAX`. */
const FRAMING_BYTES = 64
/** Smallest padded slot: a direct chat between accounts of two devices without gaps. */
const SLOT_BUCKET_BYTES_MIN = 512
const SLOT_BUCKET_BYTES_MAX = wire.SLOT_BYTES_MAX - AEAD_TAG_BYTES - FRAMING_BYTES

export interface SlotToSeal {
  /** 32 bytes, of the epoch in which the conversation is now. */
  readonly archiveKey: Uint8Array
  readonly sender: LocalDevice
  readonly conversation: ConversationId
  /** Above every earlier one of this device and conversation, from 1. */
  readonly version: number
  readonly delivered: readonly wire.Delivered[]
  /** Where this device can be reached directly: up to 8 multiaddrs without its peer id. None by default. */
  readonly addresses?: readonly string[]
  /** 16 random bytes. */
  readonly salt: Uint8Array
}

/** As the fields of a `Slot` of the box protocol. */
export interface SealedSlotBytes {
  readonly tag: Uint8Array
  readonly version: number
  readonly sealed: Uint8Array
}

export interface OpenedSlot {
  readonly account: AccountId
  readonly device: DeviceId
  readonly conversation: ConversationId
  readonly version: number
  readonly delivered: readonly wire.Delivered[]
  /** Well-formed, but only the device's word. */
  readonly addresses: readonly string[]
}

/** 16 bytes naming the slot of one device (32-byte public key or DeviceId) in one epoch, opaque to relays. */
export function slotTag(
  archiveKey: Uint8Array,
  device: DeviceId | Uint8Array,
  primitives: Primitives
): Uint8Array {
  const key = primitives.hkdf(archiveKey, NO_SALT, LABELS.slotTag, KEY_BYTES)
  const bytes = typeof device === 'string' ? publicKeyOf(device) : device
  return primitives.hmac(key, bytes).slice(0, wire.SLOT_TAG_BYTES)
}

/** version ‖ tag ‖ u64 slot version ‖ salt, all of fixed length. */
function slotData(slot: { tag: Uint8Array; version: number; salt: Uint8Array }): Uint8Array {
  return concat([Uint8Array.of(VERSION), slot.tag, uint64Bytes(slot.version), slot.salt])
}

function slotToSign(data: Uint8Array, content: Uint8Array, primitives: Primitives): Uint8Array {
  return concat([LABELS.slotSignature, data, primitives.sha256(content)])
}

function bucketFor(length: number): number {
  let bucket = SLOT_BUCKET_BYTES_MIN
  while (bucket <= length) bucket *= 2
  return Math.min(bucket, SLOT_BUCKET_BYTES_MAX)
}

function isDelivered({ device, ranges }: wire.Delivered): boolean {
  if (device.byteLength !== PUBLIC_KEY_BYTES) return false
  return ranges.every(({ from, to }, index) => {
    const before = ranges[index - 1]
    const least = before === undefined ? 1 : before.to + 2
    return isCount(from, least) && isCount(to, from)
  })
}

function areAddresses(addresses: readonly string[]): boolean {
  try {
    return addresses.length === 0 || requireAddresses(addresses).length > 0
  } catch (error) {
    // What is wrong with them makes no difference: such a slot is neither made nor opened.
    if (error instanceof ProtocolError) return false
    throw error
  }
}

/**
 * Seals what this device holds, under the version that the relay compares.
 * @throws ProtocolError `malformed` for a version, ranges or addresses that no receiver would take, `too-large` when the
 *   ranges do not fit
 */
export function sealSlot(options: SlotToSeal, primitives: Primitives): SealedSlotBytes {
  const { archiveKey, sender, version, salt, addresses = [] } = options
  if (salt.byteLength !== wire.SALT_BYTES) throw new RangeError('a salt must be 16 bytes')
  const isWhole = options.delivered.every(isDelivered) && areAddresses(addresses)
  if (!isCount(version, 1) || !isWhole) {
    throw new ProtocolError('malformed', 'slot cannot be sent')
  }
  const device = publicKeyOf(sender.device)
  const tag = slotTag(archiveKey, device, primitives)
  const content = wire.SlotContent.encode({
    conversation: idBytes(options.conversation),
    account: idBytes(sender.account),
    device,
    version,
    delivered: [...options.delivered],
    addresses: [...addresses]
  })
  const data = slotData({ tag, version, salt })
  const signature = primitives.sign(sender.privateKey, slotToSign(data, content, primitives))
  const signed = wire.SignedSlot.encode({ content, signature })
  if (signed.byteLength >= SLOT_BUCKET_BYTES_MAX) {
    throw new ProtocolError('too-large', 'ranges fit no slot')
  }
  const key = primitives.hkdf(archiveKey, salt, LABELS.slotKey, KEY_BYTES)
  const padded = padTo(signed, bucketFor(signed.byteLength))
  const sealed = primitives.seal(key, ZERO_NONCE, padded, data)
  return { tag, version, sealed: wire.SealedSlot.encode({ salt, sealed }) }
}

/** The content and signature inside the seal; undefined when it does not open under this key, tag and version. */
function openSeal(
  slot: SealedSlotBytes,
  archiveKey: Uint8Array,
  primitives: Primitives
): { signed: wire.SignedSlot; data: Uint8Array } | undefined {
  if (!isCount(slot.version, 1) || slot.tag.byteLength !== wire.SLOT_TAG_BYTES) return undefined
  const outer = decodeOrUndefined(wire.SealedSlot, slot.sealed, wire.SLOT_BYTES_MAX)
  if (outer === undefined || outer.salt.byteLength !== wire.SALT_BYTES) return undefined
  const key = primitives.hkdf(archiveKey, outer.salt, LABELS.slotKey, KEY_BYTES)
  const data = slotData({ tag: slot.tag, version: slot.version, salt: outer.salt })
  const padded = primitives.open(key, ZERO_NONCE, outer.sealed, data)
  const encoded = padded && unpad(padded)
  const signed = encoded && decodeOrUndefined(wire.SignedSlot, encoded, wire.SLOT_BYTES_MAX)
  return signed?.signature.byteLength === SIGNATURE_BYTES ? { signed, data } : undefined
}

/**
 * Opens a slot. Undefined for whatever does not hold together: another epoch's, an altered version or tag, a
 * statement signed by another device than the tag names. Membership is the caller's question.
 */
export function openSlot(
  options: { readonly slot: SealedSlotBytes; readonly archiveKey: Uint8Array },
  primitives: Primitives
): OpenedSlot | undefined {
  const { slot, archiveKey } = options
  const opened = openSeal(slot, archiveKey, primitives)
  const encoded = opened?.signed.content
  const content = encoded && decodeOrUndefined(wire.SlotContent, encoded, wire.SLOT_BYTES_MAX)
  if (opened === undefined || content === undefined) return undefined
  const { account, device, conversation, version, delivered, addresses } = content
  if (account.byteLength !== HASH_BYTES || conversation.byteLength !== HASH_BYTES) return undefined
  if (device.byteLength !== PUBLIC_KEY_BYTES || version !== slot.version) return undefined
  if (!primitives.equal(slotTag(archiveKey, device, primitives), slot.tag)) return undefined
  const message = slotToSign(opened.data, opened.signed.content, primitives)
  if (!primitives.verify(device, message, opened.signed.signature)) return undefined
  if (!delivered.every(isDelivered) || !areAddresses(addresses)) return undefined
  return {
    account: accountIdOf(account),
    device: deviceIdOf(device),
    conversation: conversationIdOf(conversation),
    version,
    delivered,
    addresses
  }
}
