// Two people, two devices each, one relay that is killed throughout, on real processes.
import { expect, test } from 'vitest'
import { runDevices } from '../storm/device-rounds.ts'

const ROUNDS = 5

/** About 2 s a round on two busy cores, and 15 s for accounts and links; twice that. */
const STORM_MS = 60_000

test('four devices end with the same history in the same order, however often the relay dies', {
  timeout: STORM_MS
}, async () => {
  const seed = Math.floor(Math.random() * 1_000_000)
  const told: string[] = [`seed ${seed}`]
  const report = await runDevices({
    rounds: ROUNDS,
    seed,
    say: (text) => told.push(text),
    signal: AbortSignal.timeout(STORM_MS)
  }).catch((error: unknown) => {
    throw new Error(told.join('\n'), { cause: error })
  })
  expect(report, told.join('\n')).toMatchObject({
    lost: [],
    doubled: [],
    gaps: 0,
    isSameOrder: true
  })
  expect(report.relayKills).toBe(ROUNDS)
  expect(report.sent).toBeGreaterThanOrEqual(ROUNDS)
})
