// Everybody dies at a named point of the way to disk, on real processes: each point once.
import { FAILPOINTS, type FailpointName } from '@kith/node/kernel'
import { expect, test } from 'vitest'
import { createDice } from '../storm/dice.ts'
import { DEATHS, runPoints } from '../storm/point-rounds.ts'

/** About 4 s a round on two busy cores; well over twice that for all of them. */
const ROUNDS_MS = 150_000

const seed = Math.floor(Math.random() * 1_000_000)

/** Of those who pass the point, one by the seed. */
function deathAt(point: FailpointName) {
  const candidates = DEATHS.filter((death) => death.point === point)
  const dice = createDice(seed + FAILPOINTS.indexOf(point))
  const death = candidates[dice.roll(0, candidates.length - 1)]
  if (death === undefined) throw new Error(`nobody passes ${point}`)
  return death
}

test('a death at each point of the store path loses nothing, doubles nothing and changes no order', {
  timeout: ROUNDS_MS
}, async () => {
  const told: string[] = [`seed ${seed}`]
  const deaths = FAILPOINTS.map(deathAt)
  const report = await runPoints({
    rounds: deaths.length,
    seed,
    deaths,
    say: (text) => told.push(text),
    signal: AbortSignal.timeout(ROUNDS_MS)
  }).catch((error: unknown) => {
    throw new Error(told.join('\n'), { cause: error })
  })
  expect(report, told.join('\n')).toMatchObject({
    lost: [],
    gaps: 0,
    doubled: [],
    undelivered: [],
    isSameOrder: true
  })
  const died = [...report.deaths.keys()].sort()
  expect(died).toEqual(deaths.map(({ role, point }) => `${role} ${point}`).sort())
})

test('every point is died at by everybody who passes it', () => {
  expect(new Set(DEATHS.map(({ point }) => point))).toEqual(new Set(FAILPOINTS))
  for (const role of ['alice', 'bob', 'relay'] as const) {
    const own = role === 'relay' ? 'node-' : 'relay-'
    const points = DEATHS.filter((death) => death.role === role).map(({ point }) => point)
    expect(points).toEqual(FAILPOINTS.filter((point) => !point.startsWith(own)))
  }
})
