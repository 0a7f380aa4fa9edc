// Padding: sizes are classes, and every padded form has one reading.
import { envelope as wire } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { CONTENT_BUCKETS_BYTES, padContent, padTo, unpad } from '../../src/conversations/padding.ts'
import { seal } from './envelopes.ts'

const signature = new Uint8Array(64).fill(1)

describe('padding a content', () => {
  test('gives exactly a bucket for every length there is', () => {
    const last = CONTENT_BUCKETS_BYTES.at(-1) as number
    // Framing and signature take 70 bytes, the smallest padding three.
    const lengths = [
      ...Array.from({ length: 9_000 }, (_, length) => length),
      ...Array.from({ length: 700 }, (_, index) => 16_000 + index),
      ...Array.from({ length: 400 }, (_, index) => 32_500 + index),
      ...Array.from({ length: 100 }, (_, index) => last - 173 + index),
      last - 70
    ]
    for (const length of lengths) {
      const padded = padContent(new Uint8Array(length).fill(2), signature)
      if (!CONTENT_BUCKETS_BYTES.includes(padded.byteLength)) expect(length).toBe('in a bucket')
      const { content } = wire.SealedContent.decode(padded)
      if (content.byteLength !== length) expect(content.byteLength).toBe(length)
    }
  })

  test('refuses what is larger than the largest bucket', () => {
    const last = CONTENT_BUCKETS_BYTES.at(-1) as number
    expect(() => padContent(new Uint8Array(last), signature)).toThrow(
      expect.objectContaining({ code: 'too-large' })
    )
  })

  test('leaves room for the rest of the largest envelope', () => {
    const commit = new Uint8Array((CONTENT_BUCKETS_BYTES.at(-1) as number) - 300)
    const body = { commit: { commit, receipt: new Uint8Array(0) } }
    const content = { ...wireContent(), body }
    const { envelope } = seal({ content, counter: Number.MAX_SAFE_INTEGER })
    expect(envelope.byteLength).toBeLessThanOrEqual(wire.ENVELOPE_BYTES_MAX)
    expect(envelope.byteLength).toBeGreaterThan(CONTENT_BUCKETS_BYTES.at(-1) as number)
  })
})

describe('padding to a length', () => {
  test('is undone', () => {
    for (let length = 0; length < 80; length += 1) {
      const bytes = new Uint8Array(length).fill(0x80)
      expect(unpad(padTo(bytes, 80))).toEqual(bytes)
    }
    expect(() => padTo(new Uint8Array(80), 80)).toThrow(RangeError)
  })

  test('is missed where it is not', () => {
    expect(unpad(new Uint8Array(0))).toBeUndefined()
    expect(unpad(new Uint8Array(80))).toBeUndefined()
    expect(unpad(new Uint8Array(80).fill(1))).toBeUndefined()
  })
})

function wireContent(): wire.Content {
  return {
    conversation: new Uint8Array(32),
    group: new Uint8Array(32),
    epoch: 0,
    authenticator: new Uint8Array(8),
    heads: [],
    depth: 1,
    sentAtMs: 0,
    body: {}
  }
}
