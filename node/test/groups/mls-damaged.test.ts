// Damaged MLS messages, as a hostile peer sends them: one type of error, within bounded time, and a group that goes on.
import { beforeAll, describe, expect, it } from 'vitest'
import { GroupCryptoError, type GroupSnapshot } from '../../src/groups/group-crypto.ts'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import { decodeCommit, decodeKeyPackage, decodeWelcome } from '../../src/groups/mls-codec.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

const SEED = 20_261_127
/** As in protocols/test/round-trip.test.ts. */
const DECODED = Number(process.env.KITH_MUTATIONS ?? 10_000)
/** Of those, how many go the whole way, with signatures and keys. */
const PROCESSED = 200
/** reliability.md, B7, in time of this thread. */
const MS_MAX = 50

const crypto = await createMlsCrypto({ primitives })
const ALL = () => true

let keyPackage: Uint8Array
let secret: Uint8Array
let welcome: Uint8Array
let commit: Uint8Array
let before: GroupSnapshot

beforeAll(async () => {
  const alice = createDevice('alice', 'phone', primitives)
  const bob = createDevice('bob', 'phone', primitives)
  const carol = createDevice('carol', 'phone', primitives)
  const founded = await crypto.create(alice, new Uint8Array(32).fill(7))
  const forBob = await crypto.createKeyPackage(bob)
  const added = await crypto.add(founded.state, [forBob.keyPackage], ALL)
  keyPackage = forBob.keyPackage
  secret = forBob.secret
  welcome = added.welcome ?? new Uint8Array(0)
  before = await crypto.join(welcome, secret, ALL)
  const forCarol = await crypto.createKeyPackage(carol)
  commit = (await crypto.add(added.state, [forCarol.keyPackage], ALL)).commit
})

/** Mulberry32: uniform in [0, 1), the same for a seed everywhere. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Lengths of RFC 9420 that lie: 2^30 - 1, 16,383, and the prefix that means nothing. */
const LIES = [
  [0xbf, 0xff, 0xff, 0xff],
  [0x7f, 0xff],
  [0xff, 0xff, 0xff, 0xff]
]

/** A message with flipped bits, a piece of another, a lie about a length, or an end too early; all by the seed. */
function damage(bytes: Uint8Array, other: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const at = below(bytes.byteLength)
  const way = below(4)
  if (way === 0) return bytes.subarray(0, at)
  const damaged = bytes.slice()
  if (way === 1) {
    for (let flips = 1 + below(4); flips > 0; flips -= 1) {
      const place = below(bytes.byteLength)
      damaged[place] = (damaged[place] ?? 0) ^ (1 << below(8))
    }
    return damaged
  }
  const from = below(other.byteLength)
  const piece = way === 2 ? other.subarray(from, from + below(64)) : (LIES[below(3)] ?? [])
  damaged.set([...piece].slice(0, bytes.byteLength - at), at)
  return damaged
}

function costMs(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000
}

describe('a damaged', () => {
  const kinds = [
    ['key package', () => keyPackage, decodeKeyPackage],
    ['welcome', () => welcome, decodeWelcome],
    ['commit', () => commit, decodeCommit]
  ] as const

  it.each(kinds)(
    '%s is decoded or refused as malformed, quickly',
    { timeout: 3_600_000 },
    (...kind) => {
      const [name, valid, decode] = kind
      const random = seededRandom(SEED)
      let [refused, slowestMs] = [0, 0]
      for (let round = 0; round < DECODED; round += 1) {
        const bytes = damage(valid(), commit, random)
        const attempt = () => {
          try {
            decode(bytes)
          } catch (error) {
            if (!(error instanceof GroupCryptoError) || error.code !== 'malformed') throw error
            refused += 1
          }
        }
        let ms = costMs(attempt)
        // Again, in case it was the collector's time.
        if (ms > MS_MAX) ms = costMs(attempt)
        slowestMs = Math.max(slowestMs, ms)
      }
      console.log(
        `B7: ${name}: ${refused} of ${DECODED} refused, slowest ${slowestMs.toFixed(1)} ms`
      )
      expect(slowestMs).toBeLessThan(MS_MAX)
      expect(refused).toBeGreaterThan(DECODED / 5)
    }
  )

  it.each([
    ['key package', () => keyPackage, (bytes: Uint8Array) => crypto.inspectKeyPackage(bytes, ALL)],
    ['welcome', () => welcome, (bytes: Uint8Array) => crypto.join(bytes, secret, ALL)],
    ['commit', () => commit, (bytes: Uint8Array) => crypto.process(before.state, bytes, ALL)]
  ] as const)('%s changes nothing and is never taken', { timeout: 60_000 }, async (...kind) => {
    const [, valid, take] = kind
    const random = seededRandom(SEED)
    for (let round = 0; round < PROCESSED; round += 1) {
      const bytes = damage(valid(), commit, random)
      if (Buffer.compare(bytes, valid()) === 0) continue
      const error = await take(bytes).then(
        () => new Error(`round ${round}: taken, ${Buffer.from(bytes).toString('hex')}`),
        (cause: unknown) => cause
      )
      expect(error, `round ${round}: ${error}`).toBeInstanceOf(GroupCryptoError)
    }
    expect((await crypto.process(before.state, commit, ALL)).view.epoch).toBe(2)
  })
})
