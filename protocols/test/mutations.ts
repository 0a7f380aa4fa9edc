// Seeded damage to encoded messages: what a broken or hostile peer sends.

export type Random = () => number

/** Mulberry32: 32-bit state, uniform in [0, 1). The same seed gives the same damage on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const below = (random: Random, limit: number): number => Math.floor(random() * limit)

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256))
}

/** Varints that lie: huge, padded, endless. */
const LIES: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x7f],
  [0xff, 0xff, 0x3f]
]

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const tail = bytes.subarray(Math.min(bytes.byteLength, at + remove))
  const result = new Uint8Array(at + insert.byteLength + tail.byteLength)
  result.set(bytes.subarray(0, at))
  result.set(insert, at)
  result.set(tail, at + insert.byteLength)
  return result
}

const MUTATIONS: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const result = bytes.slice()
    for (let flips = 1 + below(random, 4); flips > 0 && result.byteLength > 0; flips -= 1) {
      const at = below(random, result.byteLength)
      result[at] = (result[at] as number) ^ (1 << below(random, 8))
    }
    return result
  },
  function spliceOther(bytes, random, other) {
    const from = below(random, other.byteLength + 1)
    const part = other.subarray(from, from + below(random, other.byteLength + 1))
    return splice(bytes, below(random, bytes.byteLength + 1), below(random, 8), part)
  },
  function noise(_bytes, random) {
    return randomBytes(random, below(random, 96))
  },
  function insertNoise(bytes, random) {
    const noise = randomBytes(random, 1 + below(random, 12))
    return splice(bytes, below(random, bytes.byteLength + 1), 0, noise)
  },
  function lie(bytes, random) {
    const lying = Uint8Array.from(LIES[below(random, LIES.length)] as number[])
    return splice(bytes, below(random, bytes.byteLength + 1), 1, lying)
  },
  function lieInField(bytes, random) {
    const tag = ((1 + below(random, 12)) << 3) | 2
    const lying = Uint8Array.from([tag, ...(LIES[below(random, LIES.length)] as number[])])
    return splice(bytes, below(random, bytes.byteLength + 1), 0, lying)
  },
  function repeatPiece(bytes, random) {
    const from = below(random, bytes.byteLength + 1)
    const piece = bytes.subarray(from, from + 1 + below(random, 24))
    let result = bytes
    for (let times = below(random, 12); times > 0; times -= 1) {
      result = splice(result, from, 0, piece)
    }
    return result
  },
  function bomb(_bytes, random) {
    return bombOf(1 + below(random, 12), 2 * (1 + below(random, 1_200)))
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, below(random, bytes.byteLength + 1))
  }
]

/** One mutation of `bytes`; `other` is another message to splice from. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const mutation = MUTATIONS[below(random, MUTATIONS.length)] as Mutation
  return mutation(bytes, random, other)
}

/** `length` bytes of empty length-delimited fields with this number (1 to 15): two bytes each. */
export function bombOf(fieldNumber: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 2) {
    bytes[at] = (fieldNumber << 3) | 2
  }
  return bytes
}
