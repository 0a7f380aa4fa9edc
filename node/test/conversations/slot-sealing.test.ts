// Slots: what opens, and everything that must not.
import { readFile } from 'node:fs/promises'
import {
  conversationIdOf,
  idBytes,
  LABELS,
  parseConversationId,
  publicKeyOf,
  uint64Bytes,
  envelope as wire
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { describe, expect, test } from 'vitest'
import { padTo } from '../../src/conversations/padding.ts'
import {
  openSlot,
  type SealedSlotBytes,
  type SlotToSeal,
  sealSlot,
  slotTag
} from '../../src/conversations/slot-sealing.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'
import { createNoise } from '../noise.ts'
import { archiveKey, conversation, salt, sender } from './envelopes.ts'

const stranger = createDevice('mallory', 'laptop', primitives)
const device = new Uint8Array(32).fill(9)
const delivered = [
  {
    device,
    ranges: [
      { from: 1, to: 4 },
      { from: 6, to: 6 }
    ]
  }
]

function seal(fields: Partial<SlotToSeal> = {}): SealedSlotBytes {
  const slot = {
    archiveKey,
    sender,
    conversation: conversationIdOf(conversation),
    version: 3,
    delivered,
    salt,
    ...fields
  }
  return sealSlot(slot, primitives)
}

const open = (slot: SealedSlotBytes, key = archiveKey) =>
  openSlot({ slot, archiveKey: key }, primitives)

describe('a slot', () => {
  test('opens to what was sealed, from whom', () => {
    expect(open(seal())).toEqual({
      account: sender.account,
      device: sender.device,
      conversation: conversationIdOf(conversation),
      version: 3,
      delivered,
      addresses: []
    })
  })

  test('tells where its device can be reached', () => {
    const addresses = ['/ip4/10.0.0.1/tcp/4001', '/dns4/example.org/tcp/443/tls/ws']
    expect(open(seal({ addresses }))?.addresses).toEqual(addresses)
  })

  test('has the bytes that the committed vectors say', async () => {
    const path = new URL('../vectors/slot.json', import.meta.url)
    const { vectors } = JSON.parse(await readFile(path, 'utf8'))
    const from = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
    expect(vectors.length).toBeGreaterThan(1)
    for (const vector of vectors) {
      const [key, drawn] = [from(vector.archiveKey), from(vector.salt)]
      const { version, addresses } = vector
      const held = vector.delivered.map((each: { device: string; ranges: [] }) => ({
        device: from(each.device),
        ranges: each.ranges
      }))
      const conversation = parseConversationId(vector.conversation)
      const inputs = { archiveKey: key, salt: drawn, conversation, version, addresses }
      const slot = seal({ ...inputs, delivered: held })
      expect(slot.tag, vector.name).toEqual(from(vector.tag))
      expect(slot.sealed, vector.name).toEqual(from(vector.sealed))
      expect(open(slot, key), vector.name).toMatchObject({ version, addresses, delivered: held })
    }
  })

  test('keeps its tag from version to version, and shares it with no other device or epoch', () => {
    expect(seal({ version: 4, salt: new Uint8Array(16) }).tag).toEqual(seal().tag)
    expect(seal({ sender: stranger }).tag).not.toEqual(seal().tag)
    expect(seal({ archiveKey: new Uint8Array(32) }).tag).not.toEqual(seal().tag)
    expect(slotTag(archiveKey, sender.device, primitives)).toEqual(seal().tag)
  })

  test('has one size for a few ranges and for none', () => {
    expect(seal({ delivered: [] }).sealed.byteLength).toBe(seal().sealed.byteLength)
  })

  test('holds the ranges of 64 devices', () => {
    const many = Array.from({ length: 64 }, (_, index) => ({
      device: device.map((byte) => byte + index),
      ranges: Array.from({ length: 20 }, (_, range) => ({ from: range * 3 + 1, to: range * 3 + 2 }))
    }))
    const slot = seal({ delivered: many })
    expect(slot.sealed.byteLength).toBeLessThanOrEqual(wire.SLOT_BYTES_MAX)
    expect(open(slot)?.delivered).toEqual(many)
  })

  test('is not sealed when the ranges fit no slot', () => {
    const ranges = Array.from({ length: 4000 }, (_, range) => ({
      from: range * 3 + 1,
      to: range * 3 + 1
    }))
    expect(() => seal({ delivered: [{ device, ranges }] })).toThrow(
      expect.objectContaining({ code: 'too-large' })
    )
  })

  test.each<[string, Partial<SlotToSeal>]>([
    ['version 0', { version: 0 }],
    ['half a version', { version: 1.5 }],
    ['a version beyond whole numbers', { version: 2 ** 53 }],
    ['a range from 0', { delivered: [{ device, ranges: [{ from: 0, to: 1 }] }] }],
    ['a range backwards', { delivered: [{ device, ranges: [{ from: 2, to: 1 }] }] }],
    [
      'ranges that touch',
      {
        delivered: [
          {
            device,
            ranges: [
              { from: 1, to: 2 },
              { from: 3, to: 4 }
            ]
          }
        ]
      }
    ],
    [
      'ranges out of order',
      {
        delivered: [
          {
            device,
            ranges: [
              { from: 5, to: 6 },
              { from: 1, to: 2 }
            ]
          }
        ]
      }
    ],
    ['nine addresses', { addresses: Array(9).fill('/ip4/10.0.0.1/tcp/1') }],
    ['an address that is none', { addresses: ['10.0.0.1:4001'] }],
    ['an address with a line end', { addresses: ['/ip4/10.0.0.1\n'] }],
    ['a short device', { delivered: [{ device: device.slice(1), ranges: [] }] }]
  ])('is not sealed with %s', (_, fields) => {
    expect(() => seal(fields)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })
})

describe('a slot by a member who holds the keys is refused', () => {
  const base = () => ({
    conversation,
    account: idBytes(sender.account),
    device: publicKeyOf(sender.device),
    version: 3,
    delivered,
    addresses: [] as string[]
  })

  /** As the specification says, but with a content that `sealSlot` would not make. */
  function forge(fields: Partial<wire.SlotContent>, signer = sender): SealedSlotBytes {
    const content = wire.SlotContent.encode({ ...base(), ...fields })
    const { tag } = seal()
    const data = concat([Uint8Array.of(1), tag, uint64Bytes(3), salt])
    const message = concat([LABELS.slotSignature, data, primitives.sha256(content)])
    const signature = primitives.sign(signer.privateKey, message)
    const padded = padTo(wire.SignedSlot.encode({ content, signature }), 512)
    const key = primitives.hkdf(archiveKey, salt, LABELS.slotKey, 32)
    const sealed = primitives.seal(key, new Uint8Array(12), padded, data)
    return { tag, version: 3, sealed: wire.SealedSlot.encode({ salt, sealed }) }
  }

  test('unless it follows the specification in everything', () => {
    expect(open(forge({}))).toEqual(open(seal()))
  })

  const range = (from: number, to: number) => [{ device, ranges: [{ from, to }] }]
  test.each<[string, Partial<wire.SlotContent>]>([
    ['another version than outside', { version: 4 }],
    ['another device than the tag names', { device: publicKeyOf(stranger.device) }],
    ['a short account', { account: new Uint8Array(31) }],
    ['a long conversation', { conversation: new Uint8Array(33) }],
    ['a range from 0', { delivered: range(0, 3) }],
    ['a range backwards', { delivered: range(4, 3) }],
    ['a short device', { delivered: [{ device: device.slice(1), ranges: [] }] }],
    ['an address that is none', { addresses: ['localhost'] }]
  ])('with %s', (_, fields) => {
    expect(open(forge(fields))).toBeUndefined()
  })

  test('who puts its own statement where the tag names another device', () => {
    expect(open(forge({ device: publicKeyOf(stranger.device) }, stranger))).toBeUndefined()
  })

  test('signed by another device than it names', () => {
    expect(open(forge({}, stranger))).toBeUndefined()
  })
})

describe('an altered slot', () => {
  const slot = seal()

  test('does not open as another version: an old statement cannot pass for a new one', () => {
    for (const version of [0, 2, 4, -1, 3.5, 2 ** 53, Number.NaN]) {
      expect(open({ ...slot, version })).toBeUndefined()
    }
  })

  test('does not open under the tag of another device', () => {
    expect(open({ ...slot, tag: seal({ sender: stranger }).tag })).toBeUndefined()
    expect(open({ ...slot, tag: slot.tag.slice(1) })).toBeUndefined()
  })

  test('does not open under the key of another epoch', () => {
    expect(open(slot, new Uint8Array(32).fill(8))).toBeUndefined()
  })

  test('does not open when another member signed it', () => {
    const forged = seal({ sender: { ...sender, privateKey: stranger.privateKey } })
    expect(open(forged)).toBeUndefined()
  })

  test('does not open with any bit changed, in tag or seal', () => {
    for (const field of ['tag', 'sealed'] as const) {
      for (let bit = 0; bit < slot[field].byteLength * 8; bit += 1) {
        const changed = slot[field].slice()
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
        const opened = open({ ...slot, [field]: changed })
        // Bits of the outer framing may only change what an unknown field is called.
        if (opened !== undefined) expect(opened, `bit ${bit} of ${field}`).toEqual(open(slot))
      }
    }
  })

  test('gives, in ten thousand mutations, nothing or the very same statement, and never throws', () => {
    const { seed, below } = createNoise()
    const expected = open(slot)
    for (let round = 0; round < 10_000; round += 1) {
      const sealed = slot.sealed.slice(
        0,
        slot.sealed.byteLength - (round % 5 === 0 ? below(99) : 0)
      )
      for (let changes = below(4); changes >= 0; changes -= 1) {
        sealed[below(sealed.byteLength)] = below(256)
      }
      const opened = open({ ...slot, sealed })
      if (opened !== undefined) expect(opened, `seed ${seed}, round ${round}`).toEqual(expected)
    }
  })
})
