// Envelopes for tests: one message of one device in one epoch, with whatever a test wants different.
import type { envelope as wire } from '@kith/protocols'
import {
  type EnvelopeToSeal,
  type OpenedEnvelope,
  openEnvelope,
  readEnvelope,
  type SealedEnvelope,
  sealEnvelope
} from '../../src/conversations/sealing.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

export const archiveKey = new Uint8Array(32).fill(1)
export const salt = new Uint8Array(16).fill(2)
export const conversation = new Uint8Array(32).fill(3)
export const sender = createDevice('alice', 'laptop', primitives)

export function contentOf(body: wire.Body = { text: { text: 'hello' } }): wire.Content {
  return {
    conversation,
    group: new Uint8Array(32).fill(4),
    epoch: 5,
    authenticator: new Uint8Array(8).fill(6),
    heads: [new Uint8Array(32).fill(7)],
    depth: 8,
    sentAtMs: 1_700_000_000_000,
    body
  }
}

export function seal(fields: Partial<EnvelopeToSeal> = {}): SealedEnvelope {
  const all = { archiveKey, sender, counter: 1, content: contentOf(), salt, ...fields }
  return sealEnvelope(all, primitives)
}

/** Reads and opens, as whoever receives the bytes does. */
export function open(bytes: Uint8Array): OpenedEnvelope | undefined {
  const read = readEnvelope(bytes, primitives)
  return read && openEnvelope({ envelope: read.envelope, archiveKey }, primitives)
}
