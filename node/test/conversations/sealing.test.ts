// Envelopes: what opens, and everything that must not.
import { conversationIdOf, envelope as wire } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { describe, expect, test } from 'vitest'
import { epochTag, openEnvelope, readEnvelope } from '../../src/conversations/sealing.ts'
import { openSlot, sealSlot } from '../../src/conversations/slot-sealing.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'
import { createNoise } from '../noise.ts'
import { archiveKey, contentOf, conversation, open, salt, seal, sender } from './envelopes.ts'

const stranger = createDevice('mallory', 'laptop', primitives)

describe('a sealed envelope', () => {
  test('opens to what was sealed, from whom', () => {
    const content = contentOf({ text: { text: 'Grüße 👋' } })
    const sealed = seal({ content, counter: 41 })
    const opened = open(sealed.envelope)
    expect(opened).toEqual({
      account: sender.account,
      device: sender.device,
      counter: 41,
      content,
      contentBytes: sealed.contentBytes
    })
  })

  test.each([
    ['an introduction', { introduction: { name: 'alice', deliverySecret: new Uint8Array(32) } }],
    [
      'a commit',
      { commit: { commit: new Uint8Array(40_000).fill(3), receipt: new Uint8Array(8) } }
    ],
    ['a body of a kind from a later version', {}]
  ] as const)('carries %s', (_, body) => {
    expect(open(seal({ content: contentOf(body) }).envelope)?.content.body).toEqual(body)
  })

  test('is the same bytes for the same arguments, and different for another salt', () => {
    expect(seal().envelope).toEqual(seal().envelope)
    expect(seal().envelope).not.toEqual(seal({ salt: new Uint8Array(16).fill(9) }).envelope)
  })

  test('has the hash of its bytes for an id', () => {
    const sealed = seal()
    expect(readEnvelope(sealed.envelope, primitives)?.id).toBe(sealed.id)
  })

  test('shows a relay neither sender nor conversation nor text', () => {
    const bytes = Buffer.from(seal().envelope)
    const secrets = [conversation, contentOf().group, Buffer.from('hello'), archiveKey]
    for (const secret of secrets) expect(bytes.includes(Buffer.from(secret))).toBe(false)
  })

  test('does not show how many messages its sender has sent', () => {
    const lengths = [1, 127, 128, 2 ** 31, Number.MAX_SAFE_INTEGER].map(
      (counter) => seal({ counter }).envelope.byteLength
    )
    expect(new Set(lengths).size).toBe(1)
  })

  test('does not open under the key of another epoch, nor as of another epoch', () => {
    const other = new Uint8Array(32).fill(8)
    const read = readEnvelope(seal().envelope, primitives)?.envelope as wire.Envelope
    expect(openEnvelope({ envelope: read, archiveKey: other }, primitives)).toBeUndefined()
    const retagged = { ...read, epochTag: epochTag(other, primitives) }
    expect(openEnvelope({ envelope: retagged, archiveKey: other }, primitives)).toBeUndefined()
    expect(openEnvelope({ envelope: retagged, archiveKey }, primitives)).toBeUndefined()
  })
})

describe('a content that no receiver would take', () => {
  const bytes = (length: number) => new Uint8Array(length)
  test.each<[string, Partial<wire.Content>]>([
    ['a short conversation', { conversation: bytes(31) }],
    ['a long conversation', { conversation: bytes(33) }],
    ['no group', { group: bytes(0) }],
    ['a short authenticator', { authenticator: bytes(7) }],
    ['a short head', { heads: [bytes(31)] }],
    ['nine heads', { heads: Array.from({ length: 9 }, () => bytes(32)) }],
    ['depth 0', { depth: 0 }],
    ['a depth beyond whole numbers', { depth: 2 ** 60 }],
    ['a negative epoch', { epoch: -1 }],
    ['half an epoch', { epoch: 0.5 }],
    ['empty text', { body: { text: { text: '' } } }],
    ['half a surrogate', { body: { text: { text: 'a\ud800b' } } }],
    ['a text of 16 KiB and a byte', { body: { text: { text: `${'é'.repeat(8192)}x` } } }],
    [
      'a name of 65 bytes',
      { body: { introduction: { name: 'n'.repeat(65), deliverySecret: bytes(32) } } }
    ],
    ['a short secret', { body: { introduction: { name: 'n', deliverySecret: bytes(31) } } }],
    ['an empty commit', { body: { commit: { commit: bytes(0), receipt: bytes(0) } } }]
  ])('is not sealed: %s', (_, fields) => {
    const content = { ...contentOf(), ...fields }
    expect(() => seal({ content })).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  test.each([0, -1, 1.5, 2 ** 53, Number.NaN])('is not sealed under counter %d', (counter) => {
    expect(() => seal({ counter })).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  test('is not sealed when it fits no envelope', () => {
    const content = contentOf({
      commit: { commit: new Uint8Array(70_000), receipt: new Uint8Array(0) }
    })
    expect(() => seal({ content })).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  test('takes text up to the limit', () => {
    const text = 'é'.repeat(8192)
    expect(open(seal({ content: contentOf({ text: { text } }) }).envelope)?.content.body).toEqual({
      text: { text }
    })
  })
})

describe('an altered envelope', () => {
  const read = readEnvelope(seal().envelope, primitives)?.envelope as wire.Envelope
  const fields = ['epochTag', 'salt', 'commitment', 'sealedHeader', 'sealedContent'] as const

  test.each(fields)('does not open with any bit of %s changed', (field) => {
    for (let bit = 0; bit < read[field].byteLength * 8; bit += 1) {
      const changed = read[field].slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      const envelope = { ...read, [field]: changed }
      expect(openEnvelope({ envelope, archiveKey }, primitives), `bit ${bit}`).toBeUndefined()
    }
  })

  test.each(fields)('does not open with %s cut or empty', (field) => {
    for (const length of [0, 1, read[field].byteLength - 1]) {
      const envelope = { ...read, [field]: read[field].slice(0, length) }
      expect(openEnvelope({ envelope, archiveKey }, primitives)).toBeUndefined()
    }
  })

  test.each([0, 2, 255])('does not open as version %i', (version) => {
    const envelope = { ...read, version }
    expect(openEnvelope({ envelope, archiveKey }, primitives)).toBeUndefined()
    expect(readEnvelope(wire.Envelope.encode(envelope), primitives)).toBeUndefined()
  })

  test.each(fields.slice(1))('does not open with %s of another message', (field) => {
    const other = seal({ counter: 2, salt: new Uint8Array(16).fill(9) })
    const donor = readEnvelope(other.envelope, primitives)?.envelope as wire.Envelope
    const envelope = { ...read, [field]: donor[field] }
    expect(openEnvelope({ envelope, archiveKey }, primitives)).toBeUndefined()
  })

  test('gives, in ten thousand mutations, nothing or the very same message, and never throws', () => {
    const { seed, below } = createNoise()
    const original = seal()
    const expected = open(original.envelope)
    for (let round = 0; round < 10_000; round += 1) {
      const bytes = original.envelope.slice(
        0,
        original.envelope.byteLength - (round % 7 === 0 ? below(200) : 0)
      )
      for (let changes = below(4); changes >= 0; changes -= 1) {
        bytes[below(bytes.byteLength)] = below(256)
      }
      const opened = open(bytes)
      if (opened !== undefined) {
        expect(opened, `seed ${seed}, round ${round}`).toEqual(expected)
        expect(bytes, `seed ${seed}, round ${round}`).toEqual(original.envelope)
      }
    }
  })

  test('gives nothing for noise of any length', () => {
    const { seed, below } = createNoise()
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Uint8Array.from({ length: below(600) }, () => below(256))
      expect(open(bytes), `seed ${seed}, round ${round}`).toBeUndefined()
    }
  })
})

describe('one message has one encoding', () => {
  const { envelope } = seal()

  test.each([
    ['an unknown field behind it', concat([envelope, Uint8Array.of(0x78, 0x01)])],
    ['a field twice', concat([envelope, envelope.subarray(0, 2)])],
    ['a padded version number', concat([Uint8Array.of(0x08, 0x81, 0x00), envelope.subarray(2)])],
    ['its fields in another order', concat([envelope.subarray(2), envelope.subarray(0, 2)])]
  ])('so it is not read with %s', (_, bytes) => {
    expect(wire.Envelope.decode(bytes)).toEqual(wire.Envelope.decode(envelope))
    expect(readEnvelope(bytes, primitives)).toBeUndefined()
  })

  test('so an oversized one is not read', () => {
    expect(readEnvelope(new Uint8Array(wire.ENVELOPE_BYTES_MAX + 1), primitives)).toBeUndefined()
  })
})

describe('a member who holds the keys', () => {
  test('cannot seal under the name of another', () => {
    const forged = seal({ sender: { ...sender, privateKey: stranger.privateKey } })
    expect(open(forged.envelope)).toBeUndefined()
  })

  test('is taken at its word about its account: that the caller checks by the log', () => {
    const claimed = seal({ sender: { ...stranger, account: sender.account } })
    expect(open(claimed.envelope)).toMatchObject({
      account: sender.account,
      device: stranger.device
    })
  })

  test('cannot move a message to another conversation: it is under the signature', () => {
    const elsewhere = contentOf()
    const opened = open(seal({ content: elsewhere }).envelope)
    expect(opened?.content.conversation).toEqual(conversation)
    // The caller compares it with the conversation whose key opened the envelope.
    const other = { ...elsewhere, conversation: new Uint8Array(32).fill(66) }
    expect(open(seal({ content: other }).envelope)?.content.conversation).not.toEqual(conversation)
  })
})

describe('a slot and an envelope', () => {
  const slot = sealSlot(
    {
      archiveKey,
      sender,
      conversation: conversationIdOf(conversation),
      version: 1,
      delivered: [],
      salt
    },
    primitives
  )

  test('do not pass for each other', () => {
    expect(open(slot.sealed)).toBeUndefined()
    const { envelope } = seal()
    const asSlot = { tag: slot.tag, version: 1, sealed: envelope }
    expect(openSlot({ slot: asSlot, archiveKey }, primitives)).toBeUndefined()
  })
})
