// Every check of the simulator can fail: a small fault is planted in a device or a disk, and the named check finds it
// within a few seeds.
import type { WrapStep } from '@kith/node/kernel'
import { describe, expect, it } from 'vitest'
import { simulate } from '../../simulator/simulate.ts'
import type { WorldOptions } from '../../simulator/world.ts'
import * as broken from './broken.ts'

/** A fault that needs bad luck shows within this many seeds. */
const SEEDS_MAX = 12

/** The failure of the first seed that fails. */
async function firstFailure(options: WorldOptions): Promise<string> {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const failure = await simulate(seed, options).then(
      () => undefined,
      (error: unknown) => String(error)
    )
    if (failure !== undefined) return failure
  }
  return 'nothing was found'
}

const inBobsPhone = (step: WrapStep): WorldOptions => ({
  breakStep: (device) => (device === 'bob-phone' ? step : undefined)
})

describe('a check', () => {
  it.each<[string, string, WorldOptions]>([
    ['S1', 'a relay that answers before the sync', { lyingDisk: 'relay' }],
    ['S1', 'a device that tells before the sync', inBobsPhone(broken.tellsEarly)],
    ['S1', 'a device that acknowledges before the sync', { breakStep: () => broken.answersEarly }],
    ['S[135]', 'a device without duplicate marks', inBobsPhone(broken.forgetsMarks)],
    ['S2', 'a message under the name of no member', inBobsPhone(broken.mistakesAuthor)],
    ['S3', 'a message that is shown twice', inBobsPhone(broken.showsTwice)],
    ['S4', 'swapped bytes', inBobsPhone(broken.swapsBytes)],
    ['S5', 'a message before what it names', { breakStep: () => broken.forgetsHeads }],
    ['S6', 'messages out of order', inBobsPhone(broken.misplaces)],
    ['S7', 'a gap that nobody is told of', { breakStep: () => broken.skipsGaps }],
    ['S8', 'an own message that is gone', inBobsPhone(broken.losesOwn)],
    ['S9', 'a shown message that is gone', inBobsPhone(broken.losesShown)],
    ['L1', 'a device that never sends again', { breakStep: () => broken.sendsOnce }]
  ])('%s finds %s', { timeout: 60_000 }, async (check, _, options) => {
    const failure = await firstFailure(options)
    expect(failure).toMatch(
      new RegExp(`^BrokenPromise: ${check}: [^]*\\(seed \\d+, at [\\d.]+ s\\)`)
    )
    expect(failure).toContain('Its last steps:\n')
  })
})
