// Two hundred seeded worlds, each twice: every promise holds, the same seed gives the same trace, and all together have
// met everything that can happen. KITH_SEEDS=2000 runs more of them; KITH_SEED=17 runs that one.
import { describe, expect, it } from 'vitest'
import { simulate } from '../../simulator/simulate.ts'
import { firstDifference } from '../../simulator/trace.ts'

const SEEDS_USUAL = 200
const SEED_MS = 30_000
/** Found a fault once: listed in scripts/simulator/FINDINGS.md. */
const REGRESSIONS = [173]

/** What has to have happened somewhere, or the seeds prove nothing. */
const EXERCISED = [
  'both founded a group',
  'clock jump',
  'cut',
  'delivered',
  'device crash',
  'device joined late',
  'direct path',
  'doubled',
  'gap',
  'held',
  'late device added',
  'look',
  'lost',
  'relay crash',
  'slow',
  'slow disk',
  'step retry-append',
  'step sequenced',
  'text',
  'told message received',
  'told state accepted',
  'told state delivered',
  'unsynced batch kept',
  'unsynced batch lost'
]

const only = process.env.KITH_SEED
const count = Number(process.env.KITH_SEEDS ?? SEEDS_USUAL)
const usual = Array.from({ length: count }, (_, index) => index + 1)
const seeds = only === undefined ? [...new Set([...REGRESSIONS, ...usual])] : [Number(only)]

describe('a simulated world', () => {
  const happened = new Map<string, number>()

  it.each(seeds)(
    'with seed %i keeps every promise, twice alike',
    { timeout: SEED_MS },
    async (seed) => {
      const [first, second] = [await simulate(seed), await simulate(seed)]
      for (const [what, times] of first.counts) {
        happened.set(what, (happened.get(what) ?? 0) + times)
      }
      expect(firstDifference(first.trace, second.trace), `seed ${seed}`).toBeUndefined()
      expect(first.hash).toBe(second.hash)
    }
  )

  it.runIf(only === undefined && count >= SEEDS_USUAL)('meets everything that can happen', () => {
    expect(EXERCISED.filter((what) => !happened.has(what))).toEqual([])
  })
})
