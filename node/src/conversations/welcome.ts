// A welcome on its way: the MLS Welcome in the form of any other envelope, tagged and sealed for the key package it
// consumes, so that only who handed that package out can tell it from a message. Its sender is authenticated by
// MLS inside; this seal hides the Welcome's clear parts.
import { LABELS, type MessageId, messageIdOf, envelope as wire } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import { decodeOrUndefined } from './decoding.ts'
import { padContent } from './padding.ts'

const VERSION = 1
const KEY_BYTES = 32
/** Zero is safe: the key is bound to a fresh salt and seals once. */
const ZERO_NONCE = new Uint8Array(12)
/** Length of a message's sealed header; a welcome has random bytes there. */
const SEALED_HEADER_BYTES = 96
const NO_SIGNATURE = new Uint8Array(0)

/** Wraps a welcome for the key package with this reference (32 bytes). */
export function wrapWelcome(
  { welcome, reference }: { welcome: Uint8Array; reference: Uint8Array },
  { primitives, random }: { primitives: Primitives; random: Random }
): { readonly id: MessageId; readonly envelope: Uint8Array } {
  const outer = {
    version: VERSION,
    epochTag: reference.subarray(0, wire.EPOCH_TAG_BYTES),
    salt: random.bytes(wire.SALT_BYTES),
    commitment: random.bytes(wire.COMMITMENT_BYTES),
    sealedHeader: random.bytes(SEALED_HEADER_BYTES)
  }
  const sealedContent = primitives.seal(
    welcomeKey(reference, outer.salt, primitives),
    ZERO_NONCE,
    padContent(welcome, NO_SIGNATURE),
    sealData(outer)
  )
  const envelope = wire.Envelope.encode({ ...outer, sealedContent })
  return { id: messageIdOf(primitives.sha256(envelope)), envelope }
}

/** The MLS Welcome inside; undefined when it was not sealed for this key package, or altered. */
export function unwrapWelcome(
  envelope: wire.Envelope,
  reference: Uint8Array,
  primitives: Primitives
): Uint8Array | undefined {
  const key = welcomeKey(reference, envelope.salt, primitives)
  const plaintext = primitives.open(key, ZERO_NONCE, envelope.sealedContent, sealData(envelope))
  const inner =
    plaintext && decodeOrUndefined(wire.SealedContent, plaintext, wire.ENVELOPE_BYTES_MAX)
  return inner === undefined || inner.content.byteLength === 0 ? undefined : inner.content
}

/** The whole reference, of which only the first half stands in the clear. */
function welcomeKey(reference: Uint8Array, salt: Uint8Array, primitives: Primitives): Uint8Array {
  return primitives.hkdf(reference, salt, LABELS.welcomeKey, KEY_BYTES)
}

function sealData(outer: Pick<wire.Envelope, 'epochTag' | 'salt' | 'commitment' | 'sealedHeader'>) {
  const { epochTag, salt, commitment, sealedHeader } = outer
  return concat([Uint8Array.of(VERSION), epochTag, salt, commitment, sealedHeader])
}
