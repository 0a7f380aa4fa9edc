// Seeded storms over two accounts with two devices each: once healed, all four have the same talk, whole, once, in one
// order. KITH_SEEDS=500 runs more of them; KITH_SEED=17 runs that one.
import { afterEach, describe, expect, it } from 'vitest'
import { seedsFrom } from './chance.ts'
import { requireShownOnce } from './checks.ts'
import { type FourStorm, otherOf, rollFourStorm } from './four-storm.ts'
import type { Person } from './person.ts'

const SEEDS_USUAL = 8
const SEED_MS = 60_000

let storm: FourStorm | undefined
afterEach(() => storm?.world.end())

const only = process.env.KITH_SEED
const seeds = only === undefined ? seedsFrom(1, SEEDS_USUAL) : [Number(only)]

/** What was said in the storm: what came before, the second devices may not have. */
const textsOf = async (four: FourStorm, person: Person) =>
  (await person.texts(otherOf(four, person))).filter((text) => text.startsWith('storm '))

async function settleFour(four: FourStorm): Promise<void> {
  await four.world.until('the same on all four devices', async () => {
    for (const person of four.devices) {
      const { queued, gaps } = await person.api.status()
      if (queued > 0 || gaps.length > 0) return false
      const listed = await person.messages(otherOf(four, person))
      if (listed.some(({ state }) => state === 'queued' || state === 'accepted')) return false
    }
    const counts = await Promise.all(four.devices.map((one) => textsOf(four, one)))
    return new Set(counts.map(({ length }) => length)).size === 1
  })
}

async function weather(seed: number, direct: boolean): Promise<void> {
  storm = await rollFourStorm(seed, direct)
  const { world, devices } = storm
  await settleFour(storm)
  const about = `seed ${seed}`
  const [first = [], ...others] = await Promise.all(
    devices.map((one) => textsOf(storm as FourStorm, one))
  )
  for (const other of others) expect(other, `${about}: one order everywhere`).toEqual(first)
  expect(new Set(first).size, `${about}: shown twice`).toBe(first.length)
  for (const person of devices) {
    const said = person.sent.filter(({ text }) => text.startsWith('storm '))
    const kept = said.flatMap(({ text, view }) => (view === undefined ? [] : [text]))
    const mine = first.filter((text) => kept.includes(text))
    expect(mine, `${about}: what ${person.name} sent, in its order`).toEqual(kept)
    requireShownOnce(world, person)
  }
  const known = new Set(devices.flatMap(({ sent }) => sent.map(({ text }) => text)))
  expect(
    first.filter((text) => !known.has(text)),
    `${about}: said by nobody`
  ).toEqual([])
  await world.run(60_000)
  for (const person of devices) {
    await person.stop()
    expect(await person.records('delivery/outbox'), `${about}: ${person.name} outbox`).toBe(0)
  }
}

describe('a storm over two accounts with two devices each', () => {
  it.each(seeds)('over the relay with seed %i', { timeout: SEED_MS }, (seed) =>
    weather(seed, false)
  )
  it.each(seeds)('over both paths with seed %i', { timeout: SEED_MS }, (seed) =>
    weather(seed, true)
  )
})
