// The clock of tests: it stands still until moved, and runs timers in order.
import { expect, it } from 'vitest'
import { sleep } from '../../src/kernel/index.ts'
import { FakeClock } from '../../src/testing/index.ts'

it('runs timers at their moment, in order, with what they set in motion', async () => {
  const clock = new FakeClock()
  const seen: [string, number][] = []
  const note = (name: string) => () => void seen.push([name, clock.monotonic()])
  clock.schedule(20, note('b'))
  clock.schedule(10, () => {
    note('a')()
    clock.schedule(10, note('c'))
  })
  const cancelled = clock.schedule(15, note('never'))
  cancelled()
  void sleep(clock, 30).then(note('slept'))
  await clock.advance(29)
  expect(seen).toEqual([
    ['a', 10],
    ['b', 20],
    ['c', 20]
  ])
  await clock.advance(1)
  expect(seen.at(-1)).toEqual(['slept', 30])
  expect(clock.pendingTimers).toBe(0)
})

it('moves the wall clock alone when told to', () => {
  const clock = new FakeClock()
  const before = clock.now()
  clock.shiftWall(-60_000)
  expect(clock.now()).toBe(before - 60_000)
  expect(clock.monotonic()).toBe(0)
})
