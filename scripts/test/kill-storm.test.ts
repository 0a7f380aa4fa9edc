// Eight rounds of kill -9 of the relay between acceptance and delivery, on real processes.
import { expect, test } from 'vitest'
import { createDice } from '../storm/dice.ts'
import { runKillStorm } from '../storm/kill-storm.ts'
import { Ledger } from '../storm/ledger.ts'

const ROUNDS = 8

/** About 4 s a round on two busy cores. */
const STORM_MS = 150_000

test('kills of the relay lose nothing, double nothing and change no order', {
  timeout: STORM_MS
}, async () => {
  const seed = Math.floor(Math.random() * 1_000_000)
  const told: string[] = [`seed ${seed}`]
  const report = await runKillStorm({
    rounds: ROUNDS,
    seed,
    say: (text) => told.push(text),
    signal: AbortSignal.timeout(STORM_MS)
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
  expect(report.kills).toBeGreaterThanOrEqual(ROUNDS)
  expect(report.acceptedBeforeKill).toBeGreaterThanOrEqual(ROUNDS)
  expect(report.sent).toBeGreaterThanOrEqual(2 * ROUNDS)
})

test('the same seed rolls the same storm', () => {
  const rolls = (seed: number) => {
    const dice = createDice(seed)
    return Array.from({ length: 1_000 }, () => dice.roll(1, 6))
  }
  expect(rolls(7)).toEqual(rolls(7))
  expect(rolls(7)).not.toEqual(rolls(8))
  expect(new Set(rolls(7))).toEqual(new Set([1, 2, 3, 4, 5, 6]))
})

test('the ledger sees what is missing and what is shown twice', () => {
  const said = (...lines: object[]) => ({ output: lines.map((line) => JSON.stringify(line)) })
  const ledger = new Ledger()
  ledger.follow(said({ type: 'received', text: 'a' }, { type: 'received', text: 'b' }))
  ledger.follow(said({ type: 'held', text: 'a' }, { type: 'received', text: 'b' }))
  ledger.update()
  expect([...ledger.held]).toEqual(['a', 'b'])
  expect([...ledger.shownTwice]).toEqual(['b'])
})
