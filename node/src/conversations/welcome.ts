// A welcome on its way: the MLS Welcome in the outer form of any other envelope, tagged for the key package it
// consumes. It is sealed by MLS itself; the rest of the form is random, so that a relay cannot tell it apart.
import { type MessageId, messageIdOf, envelope as wire } from '@kith/protocols'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import { decodeOrUndefined } from './decoding.ts'

/** Length of a sealed header: 80 bytes and a 16-byte tag. */
const SEALED_HEADER_BYTES = 96
/** Size buckets as of messages; a welcome for two small accounts is about 1 KiB. */
const BUCKET_BYTES_MIN = 1_024
const AEAD_TAG_BYTES = 16

/** Wraps a welcome for the key package with this reference (32 bytes). */
export function wrapWelcome(
  { welcome, reference }: { welcome: Uint8Array; reference: Uint8Array },
  { primitives, random }: { primitives: Primitives; random: Random }
): { readonly id: MessageId; readonly envelope: Uint8Array } {
  const envelope = wire.Envelope.encode({
    version: 1,
    epochTag: reference.subarray(0, wire.EPOCH_TAG_BYTES),
    salt: random.bytes(wire.SALT_BYTES),
    commitment: random.bytes(wire.COMMITMENT_BYTES),
    sealedHeader: random.bytes(SEALED_HEADER_BYTES),
    sealedContent: padded(welcome, random)
  })
  return { id: messageIdOf(primitives.sha256(envelope)), envelope }
}

function padded(welcome: Uint8Array, random: Random): Uint8Array {
  let bucket = BUCKET_BYTES_MIN
  const framed = wire.SealedContent.encode({ content: welcome }).byteLength
  while (bucket < framed + 4) bucket *= 2
  const padding = random.bytes(bucket + AEAD_TAG_BYTES - framed - 3)
  return wire.SealedContent.encode({ content: welcome, padding })
}

/** The MLS Welcome inside; undefined when there is none. */
export function unwrapWelcome(envelope: wire.Envelope): Uint8Array | undefined {
  const inner = decodeOrUndefined(
    wire.SealedContent,
    envelope.sealedContent,
    wire.ENVELOPE_BYTES_MAX
  )
  return inner === undefined || inner.content.byteLength === 0 ? undefined : inner.content
}
