import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addCounter,
  countOf,
  hasCounter,
  missingRanges,
  type Ranges
} from '../../src/conversations/counters.ts'

const fold = (counters: readonly number[]): Ranges => counters.reduce<Ranges>(addCounter, [])

describe('counters', () => {
  it('hold exactly what was added, in whatever order, as disjoint ascending ranges that do not touch', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (counters) => {
        const ranges = fold(counters)
        const held = new Set(counters)
        for (let counter = 1; counter <= 61; counter += 1) {
          expect(hasCounter(ranges, counter)).toBe(held.has(counter))
        }
        expect(countOf(ranges)).toBe(held.size)
        for (const [index, range] of ranges.entries()) {
          expect(range.from).toBeLessThanOrEqual(range.to)
          const before = ranges[index - 1]
          if (before !== undefined) expect(range.from).toBeGreaterThan(before.to + 1)
        }
      })
    )
  })

  it('name as missing every counter below the largest that is not held', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (counters) => {
        const missing = missingRanges(fold(counters))
        const named = missing.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, index) => from + index)
        )
        const largest = Math.max(...counters)
        const expected = Array.from({ length: largest }, (_, index) => index + 1).filter(
          (counter) => !counters.includes(counter)
        )
        expect(named).toEqual(expected)
      })
    )
  })

  it('stay the same object when nothing is new', () => {
    const ranges = fold([1, 2, 3])
    expect(addCounter(ranges, 2)).toBe(ranges)
  })
})
