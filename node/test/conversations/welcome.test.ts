import { envelope as wire } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { CONTENT_BUCKETS_BYTES } from '../../src/conversations/padding.ts'
import { readEnvelope } from '../../src/conversations/sealing.ts'
import { unwrapWelcome, wrapWelcome } from '../../src/conversations/welcome.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom as random } from '../../src/kernel/random.ts'

const welcome = random.bytes(900)
const reference = random.bytes(32)
const wrapped = wrapWelcome({ welcome, reference }, { primitives, random })
const envelope = wire.Envelope.decode(wrapped.envelope)

describe('a welcome on its way', () => {
  it('has the form of any envelope, its size class included', () => {
    expect(readEnvelope(wrapped.envelope, primitives)?.id).toBe(wrapped.id)
    expect(CONTENT_BUCKETS_BYTES).toContain(envelope.sealedContent.byteLength - 16)
    expect(envelope.epochTag).toEqual(reference.subarray(0, 16))
  })

  it('is opened with the whole reference and nothing less', () => {
    expect(unwrapWelcome(envelope, reference, primitives)).toEqual(welcome)
    const sameTag = Uint8Array.from([...reference.subarray(0, 16), ...random.bytes(16)])
    expect(unwrapWelcome(envelope, sameTag, primitives)).toBeUndefined()
  })

  it.each(['epochTag', 'salt', 'commitment', 'sealedHeader', 'sealedContent'] as const)(
    'does not open with one bit of its %s changed',
    (field) => {
      const changed = envelope[field].slice()
      changed[0] = (changed[0] ?? 0) ^ 1
      expect(
        unwrapWelcome({ ...envelope, [field]: changed }, reference, primitives)
      ).toBeUndefined()
    }
  )

  it('shows nothing of what is inside', () => {
    const clear = Buffer.from(wrapped.envelope)
    expect(clear.includes(Buffer.from(welcome.subarray(0, 16)))).toBe(false)
    expect(clear.includes(Buffer.from(reference.subarray(16)))).toBe(false)
  })
})
