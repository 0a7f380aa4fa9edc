// Two people, two devices each, one relay that is killed throughout, on real processes.
import { expect, test } from 'vitest'
import { runDevices } from '../storm/device-rounds.ts'

const ROUNDS = 3

/** About 3 s a round and 20 s for accounts and links on two busy cores; several times that is a hang. */
const STORM_MS = 120_000

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
