// The parts that a run's honesty rests on: no ambient time, different seeds differ, traces are compared line by line.
import { systemClock, systemRandom } from '@kith/node/kernel'
import { expect, it } from 'vitest'
import { forbidAmbient } from '../../simulator/guard.ts'
import { simulate } from '../../simulator/simulate.ts'
import { firstDifference, Trace } from '../../simulator/trace.ts'

it('stops product code that reaches a clock, a timer or chance by itself', () => {
  const allow = forbidAmbient()
  try {
    expect(() => systemClock.now()).toThrow('the product reached now by itself')
    expect(() => systemClock.schedule(1, () => {})).toThrow(
      'the product reached setTimeout by itself'
    )
    expect(() => systemRandom.fraction()).toThrow('the product reached random by itself')
    expect(() => systemRandom.bytes(1)).toThrow('the product reached getRandomValues by itself')
  } finally {
    allow()
  }
  expect(systemClock.now()).toBeGreaterThan(0)
})

it('gives another seed another trace', async () => {
  const [one, other] = [await simulate(1), await simulate(2)]
  expect(one.hash).not.toBe(other.hash)
})

it('names the first line in which two traces differ', () => {
  const [a, b] = [new Trace(), new Trace()]
  for (const trace of [a, b]) trace.add('1.00 the same')
  expect(firstDifference(a, b)).toBeUndefined()
  b.add('2.00 more')
  expect(firstDifference(a, b)).toBe('line 2:\n  first run:  (ended)\n  second run: 2.00 more')
  expect(a.hash).not.toBe(b.hash)
})
