// Envelopes by somebody who holds the epoch's key, follows the specification, and departs from it in one step.
import { readFile } from 'node:fs/promises'
import { envelope as wire } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { describe, expect, test } from 'vitest'
import { openEnvelope, readEnvelope } from '../../src/conversations/sealing.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import type { Primitives } from '../../src/kernel/primitives.ts'
import { createDevice } from '../../src/testing/people.ts'
import { archiveKey, contentOf, open, seal } from './envelopes.ts'
import { build, padded, type Steps } from './reference-envelope.ts'
import { collide } from './salamander.ts'

const stranger = createDevice('mallory', 'laptop', primitives)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the specification read twice', () => {
  test('gives the same envelope', () => {
    expect(hex(build().envelope)).toBe(hex(seal().envelope))
  })

  test('gives what the committed vectors say', async () => {
    const path = new URL('../vectors/envelope.json', import.meta.url)
    const { vectors } = JSON.parse(await readFile(path, 'utf8'))
    expect(vectors.length).toBeGreaterThan(3)
    for (const vector of vectors) {
      const from = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
      const content = wire.Content.decode(from(vector.contentBytes))
      const inputs = {
        archiveKey: from(vector.archiveKey),
        salt: from(vector.salt),
        counter: vector.counter
      }
      const sealed = seal({ ...inputs, content })
      expect(hex(sealed.envelope), vector.name).toBe(vector.envelope)
      expect(sealed.id, vector.name).toBe(vector.id)
      const read = readEnvelope(from(vector.envelope), primitives)?.envelope as wire.Envelope
      const opened = openEnvelope({ envelope: read, archiveKey: inputs.archiveKey }, primitives)
      expect(opened?.counter, vector.name).toBe(vector.counter)
      expect(opened && hex(opened.contentBytes), vector.name).toBe(vector.contentBytes)
    }
  })
})

describe('an envelope by a key holder is refused', () => {
  const content = (fields: Partial<wire.Content>) =>
    wire.Content.encode({ ...contentOf(), ...fields })
  const bytes = (length: number) => new Uint8Array(length)
  const { body: _, ...fields } = contentOf()
  const bodiless = wire.Content.encode(fields)

  test.each<[string, Steps]>([
    ['signed by another device', { seed: stranger.privateKey }],
    ['with a signature for another purpose', { label: 'kith/slot/signature/1' }],
    ['without signature', { signature: () => bytes(0) }],
    ['with a zero signature', { signature: () => bytes(64) }],
    ['with a cut signature', { signature: (whole) => whole.subarray(0, 63) }],
    ['with a longer signature', { signature: (whole) => Buffer.concat([whole, bytes(1)]) }],
    ['with counter 0', { counter: 0n }],
    ['with a counter beyond whole numbers', { counter: 2n ** 53n }],
    ['with the largest counter', { counter: 2n ** 64n - 1n }],
    ['with a short account', { account: bytes(31) }],
    ['without account', { account: bytes(0) }],
    ['with a commitment to nothing', { commitment: () => bytes(32) }],
    ['with a header padded otherwise', { header: (header) => Buffer.concat([header, bytes(1)]) }],
    ['with a header without marker', { header: (header) => Buffer.from(header).fill(0, 70) }],
    ['with a counter of more bytes than it needs', { header: lengthened }],
    ['with an unknown field in the header', { header: (header) => insert(header, [0x78, 1]) }],
    ['with an empty header', { header: () => bytes(0) }],
    ['with a content that is no message', { contentBytes: bytes(20).fill(0xff) }],
    ['with an empty content', { contentBytes: bytes(0) }],
    ['with a short conversation', { contentBytes: content({ conversation: bytes(31) }) }],
    ['with a short group', { contentBytes: content({ group: bytes(16) }) }],
    ['with a long authenticator', { contentBytes: content({ authenticator: bytes(9) }) }],
    ['with a head of odd length', { contentBytes: content({ heads: [bytes(1)] }) }],
    ['with nine heads', { contentBytes: content({ heads: Array(9).fill(bytes(32)) }) }],
    ['of depth 0', { contentBytes: content({ depth: 0 }) }],
    ['with an empty text', { contentBytes: content({ body: { text: { text: '' } } }) }],
    ['without body', { contentBytes: bodiless }],
    ['with text that is no UTF-8', { contentBytes: mistext(content({})) }],
    [
      'with text of 16 KiB and a byte',
      { contentBytes: content({ body: { text: { text: 'x'.repeat(16_385) } } }) }
    ],
    ['with padding that is not zero', { sealed: (...parts) => padded(...parts, 256).fill(1, 250) }],
    ['padded to a larger bucket', { sealed: (...parts) => padded(...parts, 512) }],
    ['padded to no bucket', { sealed: (...parts) => padded(...parts, 300) }],
    [
      'with an unknown field in the padded form',
      { sealed: (...parts) => concat([padded(...parts, 254), Uint8Array.of(0x78, 1)]) }
    ],
    [
      'without padding',
      { sealed: (c, signature) => wire.SealedContent.encode({ content: c, signature }) }
    ],
    ['that is empty inside', { sealed: () => bytes(0) }],
    ['that is noise inside', { sealed: () => bytes(512).fill(0xff) }]
  ])('%s', (_, steps) => {
    expect(open(build(steps).envelope)).toBeUndefined()
  })

  test('under a key of small order, under which any signature holds', () => {
    const identity = bytes(32)
    identity[0] = 1
    const signature = concat([identity, bytes(32)])
    const steps = { device: identity, signature: () => signature }
    expect(open(build(steps).envelope)).toBeUndefined()
  })
})

/** More bytes before the marker and as many zeros fewer behind it. */
function insert(header: Uint8Array, more: readonly number[]): Uint8Array {
  const marker = header.lastIndexOf(0x80)
  const all = concat([header.subarray(0, marker), Uint8Array.from(more), header.subarray(marker)])
  return all.subarray(0, header.byteLength)
}

/** The counter 1 as the varint 81 00. */
function lengthened(header: Uint8Array): Uint8Array {
  const changed = insert(header, [0])
  changed[changed.indexOf(0x18, 68) + 1] = 0x81
  return changed
}

/** The text `hello` with its first letter made a byte that UTF-8 never has. */
function mistext(content: Uint8Array): Uint8Array {
  const changed = Buffer.from(content)
  changed[changed.indexOf('hello')] = 0xff
  return changed
}

describe('one ciphertext for two keys', () => {
  const otherKey = new Uint8Array(32).fill(77)
  const ours = build()
  const read = wire.Envelope.decode(ours.envelope)
  const data = concat([Uint8Array.of(1), read.epochTag, read.salt, read.commitment])
  const keys = [ours.messageKey, build({ archiveKey: otherKey }).messageKey] as const
  const body = read.sealedContent.subarray(0, -16)
  const salamander = collide({ keys, data, body })

  test('exists: AES-GCM alone accepts it under both', () => {
    for (const key of keys) {
      expect(primitives.open(key, new Uint8Array(12), salamander, data)).toBeDefined()
    }
  })

  test('is stopped by the commitment before the second key is even tried', () => {
    const tried: string[] = []
    // Somebody who had also found a second archive key with the same epoch tag and header key.
    const colliding: Primitives = {
      ...primitives,
      hkdf: (secret, salt, info, length) =>
        primitives.hkdf(length === 64 ? secret : archiveKey, salt, info, length),
      open(key, ...rest) {
        tried.push(hex(key))
        return primitives.open(key, ...rest)
      }
    }
    const envelope = { ...read, sealedContent: salamander }
    expect(openEnvelope({ envelope, archiveKey: otherKey }, colliding)).toBeUndefined()
    expect(tried).toEqual([hex(ours.headerKey)])
    expect(openEnvelope({ envelope: read, archiveKey }, colliding)).toBeDefined()
  })
})
