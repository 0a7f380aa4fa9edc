// Instruments and the text a scraper reads.
import { describe, expect, it } from 'vitest'
import { createMetrics, SERIES_MAX } from '../../src/kernel/index.ts'

describe('metrics', () => {
  it('are written in the exposition format', () => {
    const metrics = createMetrics()
    metrics.counter('kith_things_total', 'Things', { kind: 'a "b"\\\n' }).add()
    metrics.counter('kith_things_total', 'Things', { kind: 'c' }).add(2)
    metrics.gauge('kith_open', 'Open').set(7)
    const seconds = metrics.histogram('kith_wait_seconds', 'Waits', [0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 3]) seconds.observe(value)
    expect(metrics.exposition()).toBe(
      [
        '# HELP kith_things_total Things',
        '# TYPE kith_things_total counter',
        'kith_things_total{kind="a \\"b\\"\\\\\\n"} 1',
        'kith_things_total{kind="c"} 2',
        '# HELP kith_open Open',
        '# TYPE kith_open gauge',
        'kith_open 7',
        '# HELP kith_wait_seconds Waits',
        '# TYPE kith_wait_seconds histogram',
        'kith_wait_seconds_bucket{le="0.1"} 2',
        'kith_wait_seconds_bucket{le="1"} 3',
        'kith_wait_seconds_bucket{le="+Inf"} 4',
        'kith_wait_seconds_sum 3.65',
        'kith_wait_seconds_count 4',
        ''
      ].join('\n')
    )
  })

  it('give the same instrument for the same name and labels', () => {
    const metrics = createMetrics()
    metrics.counter('x_total', 'X', { a: '1' }).add()
    metrics.counter('x_total', 'X', { a: '1' }).add()
    expect(metrics.exposition()).toContain('x_total{a="1"} 2')
    expect(() => metrics.gauge('x_total', 'X')).toThrow('is a counter')
  })

  it('refuse a label that takes values from outside', () => {
    const metrics = createMetrics()
    expect(() => {
      for (let index = 0; index <= SERIES_MAX; index += 1) {
        metrics.counter('x_total', 'X', { peer: `${index}` })
      }
    }).toThrow('metric series')
  })
})
