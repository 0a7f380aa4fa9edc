// Seeded storms: whatever happened, once healed nothing is lost, doubled, out of order or left waiting.
// KITH_SEEDS=500 runs more of them; KITH_SEED=17 runs that one.
import { afterEach, describe, expect, it } from 'vitest'
import { seedsFrom } from './chance.ts'
import { requireNothingWaits, requireSameTalk, settle } from './checks.ts'
import { rollStorm, type Storm, type StormOptions } from './storm.ts'

const SEEDS_USUAL = 12
const SEED_MS = 30_000

let storm: Storm | undefined
afterEach(() => storm?.world.end())

const only = process.env.KITH_SEED
const seeds = only === undefined ? seedsFrom(1, SEEDS_USUAL) : [Number(only)]

async function weather(seed: number, options: StormOptions): Promise<void> {
  storm = await rollStorm(seed, options)
  const { world, alice, bob } = storm
  await settle(world, alice, bob)
  await requireSameTalk(world, alice, bob)
  // Receipts for receipts, retries and timers come to rest.
  await world.run(60_000)
  for (const person of [alice, bob]) await requireNothingWaits(world, person)
}

describe('a storm', () => {
  it.each(seeds)(
    'over the relay with seed %i leaves the same talk on both sides',
    {
      timeout: SEED_MS
    },
    (seed) => weather(seed, {})
  )

  it.each(seeds)(
    'over both paths with seed %i leaves the same talk on both sides',
    {
      timeout: SEED_MS
    },
    (seed) => weather(seed, { direct: true })
  )

  it('with the same seed is the same storm', async () => {
    const told = async () => {
      storm = await rollStorm(7)
      const { alice, bob, counts, world } = storm
      await world.end()
      return { counts, said: [alice, bob].map((person) => person.sent.map(({ text }) => text)) }
    }
    expect(await told()).toEqual(await told())
  })
})
