// The largest request of every protocol, made of as many elements as fit: decoding keeps the event loop a moment.
import * as protocols from '@kith/protocols'
import { type Codec, decodeBounded, ProtocolError } from '@kith/protocols'
import { expect, it } from 'vitest'

const FIELDS_MAX = 20
const ROUNDS = 3
/** 20 ms on a machine of its own; tests share theirs. */
const BLOCK_MS_MAX = 60

interface Bounded {
  readonly name: string
  readonly codec: Codec<unknown>
  readonly bytesMax: number
}

const PARTS = ['request', 'response', 'item', 'acknowledgement'] as const

/** A protocol, as far as it decodes. */
type Declared = Record<(typeof PARTS)[number], Codec<unknown>> & {
  readonly id: string
  readonly limits: Readonly<Record<string, number>>
}

/** Everything that somebody else's bytes are decoded as. */
function boundedCodecs(): Bounded[] {
  const found: Bounded[] = []
  for (const group of Object.values(protocols)) {
    if (typeof group !== 'object' || group === null) continue
    for (const one of Object.values(group) as readonly Partial<Declared>[]) {
      if (typeof one !== 'object' || one === null || one.limits === undefined) continue
      const { id, limits } = one
      for (const part of PARTS) {
        const codec = one[part]
        const bytesMax = limits[`${part}Bytes`]
        if (codec !== undefined && bytesMax !== undefined) {
          found.push({ name: `${id} ${part}`, codec, bytesMax })
        }
      }
    }
  }
  return found
}

/** Of an empty element of one field, of elements with an empty element each, and of endless nesting. */
function bombs(field: number, bytesMax: number): Uint8Array[] {
  const tag = (field << 3) | 2
  const flat = new Uint8Array(bytesMax)
  for (let at = 0; at + 1 < bytesMax; at += 2) flat[at] = tag
  const nested = new Uint8Array(bytesMax)
  for (let at = 0; at + 3 < bytesMax; at += 4) nested.set([tag, 2, 0x0a, 0], at)
  const deep = new Uint8Array(Math.min(bytesMax, 60_000)).fill(0x0a)
  return [flat.subarray(0, bytesMax & ~1), nested.subarray(0, bytesMax & ~3), deep]
}

const codecs = boundedCodecs()

it('there is something to decode', () => {
  expect(codecs.length).toBeGreaterThan(20)
})

it.each(codecs)('$name: bombs are refused or decoded at once', ({ codec, bytesMax }) => {
  for (let field = 1; field <= FIELDS_MAX; field += 1) {
    for (const bomb of bombs(field, bytesMax)) {
      let fastestMs = Number.POSITIVE_INFINITY
      for (let round = 0; round < ROUNDS; round += 1) {
        const startedAt = performance.now()
        try {
          decodeBounded(codec, bomb, bytesMax)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
        fastestMs = Math.min(fastestMs, performance.now() - startedAt)
      }
      expect(fastestMs).toBeLessThan(BLOCK_MS_MAX)
    }
  }
})
