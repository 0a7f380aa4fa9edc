// What every codec must do, for all of them: round trip, and refuse whatever is cut, too large or damaged.
import { readFileSync } from 'node:fs'
import {
  BoundedReader,
  decodeBounded,
  FIELD_READS_MAX,
  KIB,
  MIB,
  PROTOCOLS,
  ProtocolError
} from '@kith/protocols'
import fc from 'fast-check'
import { fromString as fromText } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { describe, expect, test } from 'vitest'
import { allCodecs, type NamedCodec } from './codecs.ts'
import { arbitraryMessage } from './messages.ts'
import { bombOf, mutate, seededRandom } from './mutations.ts'

const SEED = 20_261_121
/** `KITH_MUTATIONS=10000000` is the figure of reliability.md, B7. */
const MUTATIONS_PER_CODEC = Number(process.env.KITH_MUTATIONS ?? 10_000)
/** reliability.md, B7: no decoder hangs longer. Measured in time of this thread, so that a busy machine is fair. */
const DECODE_MS_MAX = 50
/** reliability.md, B6. */
const BOMB_MS_MAX = 20

const CODECS = allCodecs()

/** Decodes; returns undefined for a refusal. Anything thrown but a ProtocolError of the two codes escapes. */
function decodeOrRefuse({ codec, bytesMax }: NamedCodec, bytes: Uint8Array): unknown {
  try {
    return decodeBounded(codec, bytes, bytesMax)
  } catch (error) {
    if (
      error instanceof ProtocolError &&
      (error.code === 'malformed' || error.code === 'too-large')
    ) {
      return undefined
    }
    throw error
  }
}

/** Milliseconds of this thread's processor time; the best of three, so that one garbage collection is no failure. */
function costMs(work: () => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const before = process.threadCpuUsage()
    work()
    const used = process.threadCpuUsage(before)
    best = Math.min(best, (used.user + used.system) / 1_000)
    if (best < BOMB_MS_MAX) {
      break
    }
  }
  return best
}

/** Longest name of an enum value, which stands for one byte that came in. */
const ENUM_NAME_MAX = 16

/** Bytes and elements a decoded value holds. */
function weigh(value: unknown): { bytes: number; elements: number } {
  if (value instanceof Uint8Array) {
    return { bytes: value.byteLength, elements: 1 }
  }
  if (typeof value === 'string') {
    return { bytes: value.length, elements: 1 }
  }
  if (typeof value !== 'object' || value === null) {
    return { bytes: 0, elements: 1 }
  }
  let bytes = 0
  let elements = 1
  for (const part of Object.values(value)) {
    const weight = weigh(part)
    bytes += weight.bytes
    elements += weight.elements
  }
  return { bytes, elements }
}

describe.each(CODECS)('$name', (named) => {
  const { codec, bytesMax, schema, message } = named
  const arbitrary = arbitraryMessage(schema, message)

  test('gives back what was encoded', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const encoded = codec.encode(value)
        fc.pre(encoded.byteLength <= bytesMax)
        const decoded = decodeBounded(codec, encoded, bytesMax)
        expect(decoded).toEqual(value)
        expect(toText(codec.encode(decoded), 'hex')).toBe(toText(encoded, 'hex'))
      }),
      { seed: SEED, numRuns: 200 }
    )
  })

  test('refuses or understands every prefix, and nothing else happens', () => {
    for (const value of fc.sample(arbitrary, { seed: SEED, numRuns: 20 })) {
      const encoded = codec.encode(value)
      for (let length = 0; length < Math.min(encoded.byteLength, bytesMax); length += 1) {
        decodeOrRefuse(named, encoded.subarray(0, length))
      }
    }
  })

  test('refuses one byte more than its limit without looking at it', () => {
    const tooLarge = new Uint8Array(bytesMax + 1)
    expect(() => decodeBounded(codec, tooLarge, bytesMax)).toThrowError(
      expect.objectContaining({ name: 'ProtocolError', code: 'too-large' })
    )
  })

  test('refuses groups, endless numbers and what ends too early as malformed', () => {
    const always = ['0b', '0c', '0bff', '0f', '0a', '80808080808080808080', '7d000000', '7a05ff']
    const [first] = schema.messages.get(message) ?? []
    const delimited = first !== undefined && !['uint32', 'uint64', 'bool'].includes(first.type)
    const lying = delimited && !schema.enums.has(first.type) ? ['0affffffff0f', '0a7f00'] : []
    for (const hex of [...always, ...lying]) {
      expect(() => decodeBounded(codec, fromText(hex, 'hex'), bytesMax), hex).toThrowError(
        expect.objectContaining({ name: 'ProtocolError', code: 'malformed' })
      )
    }
  })

  test(`survives ${MUTATIONS_PER_CODEC} damaged messages`, { timeout: 3_600_000 }, () => {
    const seeds = fc
      .sample(arbitrary, { seed: SEED, numRuns: 50 })
      .map((value) => codec.encode(value))
    const random = seededRandom(SEED)
    const pick = (): Uint8Array => seeds[Math.floor(random() * seeds.length)] as Uint8Array
    for (let round = 0; round < MUTATIONS_PER_CODEC; round += 1) {
      const bytes = mutate(pick(), pick(), random)
      let value: unknown
      const about = (): string => `seed ${SEED}, round ${round}: ${toText(bytes, 'hex')}`
      let ms = 0
      try {
        ms = costMs(() => {
          value = decodeOrRefuse(named, bytes)
        })
      } catch (cause) {
        throw new Error(`another error, ${about()}`, { cause })
      }
      if (ms > DECODE_MS_MAX) {
        throw new Error(`${ms} ms, ${about()}`)
      }
      const { bytes: held, elements } = weigh(value)
      if (held > bytes.byteLength + ENUM_NAME_MAX || elements > 16 * FIELD_READS_MAX) {
        throw new Error(`more than came in: ${held} bytes, ${elements} elements, ${about()}`)
      }
    }
  })

  test('refuses or skips a message full of empty fields of any number cheaply', () => {
    for (let number = 1; number <= 15; number += 1) {
      const bomb = bombOf(number, bytesMax - (bytesMax % 2))
      const heapBefore = process.memoryUsage().heapUsed
      const ms = costMs(() => {
        decodeOrRefuse(named, bomb)
      })
      const allocated = process.memoryUsage().heapUsed - heapBefore
      expect(ms, `field ${number}`).toBeLessThan(BOMB_MS_MAX)
      expect(allocated, `field ${number}`).toBeLessThan(16 * MIB)
    }
  })

  test('refuses one element more than a repeated field may have', () => {
    for (const field of schema.messages.get(message) ?? []) {
      if (!field.repeated) {
        continue
      }
      expect(field.elementsMax, `${field.name} has no limit in its .proto`).toBeDefined()
      const elements = (field.elementsMax ?? 0) + 1
      expect(() =>
        decodeBounded(codec, bombOf(field.number, 2 * elements), Number.POSITIVE_INFINITY)
      ).toThrowError(expect.objectContaining({ name: 'ProtocolError', code: 'too-large' }))
      const full = decodeBounded(codec, bombOf(field.number, 2 * (elements - 1)), MIB)
      expect(full[field.name]).toHaveLength(elements - 1)
    }
  })
})

test('every repeated field of every message, nested ones too, has a limit', () => {
  for (const { schema } of CODECS) {
    for (const [name, fields] of schema.messages) {
      for (const field of fields.filter((candidate) => candidate.repeated)) {
        expect(field.elementsMax, `${name}.${field.name}`).toBeGreaterThan(0)
      }
    }
  }
})

test('a bomb inside a nested message is refused as cheaply as one outside', () => {
  const named = CODECS.find(({ name }) => name === 'identity-fetch response') as NamedCodec
  const inner = bombOf(1, 1_000 * KIB)
  const length = inner.byteLength
  const prefix = [0x0a, (length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]
  const bomb = Uint8Array.from([...prefix, ...inner])
  const ms = costMs(() => expect(decodeOrRefuse(named, bomb)).toBeUndefined())
  expect(ms).toBeLessThan(BOMB_MS_MAX)
})

test('the generated codecs call only what the bounded reader offers', () => {
  for (const folder of new Set(CODECS.map(({ message: _message, schema }) => schema))) {
    expect(folder.messages.size).toBeGreaterThan(0)
  }
  const reader = new BoundedReader(new Uint8Array(0))
  for (const folder of ['box', 'direct', 'envelope', 'frame', 'identity', 'key-packages']) {
    const generated = readFileSync(
      new URL(`../src/${folder}/pb/${folder}.ts`, import.meta.url),
      'utf8'
    )
    for (const [, called = ''] of generated.matchAll(/reader\.(\w+)/g)) {
      expect(called in reader, `${folder}: reader.${called}`).toBe(true)
    }
  }
})

test('every protocol has an id of its own, a lane, and limits that fit a frame', () => {
  const ids = PROTOCOLS.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { name, bytesMax } of CODECS) {
    expect(bytesMax, name).toBeGreaterThan(0)
  }
  for (const protocol of PROTOCOLS) {
    expect(protocol.id).toMatch(/^\/kith\/[a-z-]+\/[a-z-]+\/\d+\.\d+\.\d+$/)
    for (const [limit, value] of Object.entries(protocol.limits)) {
      if (limit.endsWith('Bytes') && limit !== 'creditBytes') {
        expect(value, `${protocol.id} ${limit}`).toBeLessThanOrEqual(MIB)
      }
    }
  }
})
