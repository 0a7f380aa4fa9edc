// The arithmetic behind a benchmark's verdicts: medians, ratios, bars, and the order of rounds.
import { describe, expect, it } from 'vitest'
import { drive } from '../benchmarks/measure/load.ts'
import { interleave } from '../benchmarks/measure/rounds.ts'
import { median, percentile } from '../benchmarks/measure/statistics.ts'
import { figureOf, tableOf } from '../benchmarks/report.ts'

const RUN = { count: 5, load: 0.5 }

describe('statistics', () => {
  it('takes the middle value whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([10, 2, 4, 8])).toBe(6)
    expect(median([])).toBeNaN()
  })

  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile([7], 0.01)).toBe(7)
  })
})

describe('a figure', () => {
  const bar = { of: 'ratio', is: 'at least', limit: 1 } as const

  it('passes when its ratio holds the bar, and not a little below', () => {
    const of = (value: number) =>
      figureOf({ name: 'x', value, unit: '/s', reference: { name: 'peer', value: 100 }, bar }, RUN)
    expect(of(100)).toMatchObject({ ratio: 1, pass: true, bar: '>= 1 x peer' })
    expect(of(99.9)).toMatchObject({ ratio: 0.999, pass: false })
  })

  it('is judged by its own value where the bar is absolute', () => {
    const limit = { of: 'value', is: 'at most', limit: 0.15 } as const
    const of = (value: number) => figureOf({ name: 'x', value, unit: 'CPU s', bar: limit }, RUN)
    expect(of(0.15)).toMatchObject({ pass: true, reference: null, ratio: null })
    expect(of(0.16)).toMatchObject({ pass: false, bar: '<= 0.15 CPU s' })
  })

  it('is not judged when the reference its bar needs is missing', () => {
    const reference = { name: 'peer', value: undefined }
    const figure = figureOf(
      { name: 'x', value: 1, unit: '/s', reference, bar, note: 'no peer' },
      RUN
    )
    expect(figure).toMatchObject({ reference: null, ratio: null, pass: null, note: 'no peer' })
    expect(tableOf([figure])).toContain('note: no peer')
  })
})

describe('rounds', () => {
  it('lets the sides take turns and counts the median of each', async () => {
    const order: string[] = []
    const values = { a: [3, 1, 2], b: [30, 10, 20] }
    const side = (name: 'a' | 'b') => ({
      name,
      async measure() {
        order.push(name)
        return values[name].shift() ?? 0
      }
    })
    const progress = () => {}
    const result = await interleave([side('a'), side('b')], { rounds: 3, progress })
    expect(order.join('')).toBe('ababab')
    expect(result.median('a', (value) => value)).toBe(2)
    expect(result.median('b', (value) => value)).toBe(20)
    expect(result.median('c', (value) => value)).toBeUndefined()
  })
})

describe('a load', () => {
  it('keeps as many in flight as asked and no more, each index once', async () => {
    const seen: number[] = []
    let inFlight = 0
    let inFlightMax = 0
    const result = await drive({ count: 50, inFlight: 7 }, async (index) => {
      seen.push(index)
      inFlight += 1
      inFlightMax = Math.max(inFlightMax, inFlight)
      await Promise.resolve()
      inFlight -= 1
    })
    expect(inFlightMax).toBe(7)
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(result.count).toBe(50)
  })

  it('ends with the first failure', async () => {
    const failing = drive({ count: 10, inFlight: 2 }, async (index) => {
      if (index === 3) throw new Error('refused')
    })
    await expect(failing).rejects.toThrow('refused')
  })
})
