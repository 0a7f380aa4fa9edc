// Token buckets by a clock that the test holds.
import { describe, expect, it } from 'vitest'
import { RateLimiter, TokenBucket } from '../../src/kernel/index.ts'

const RATE = { count: 10, windowMs: 1_000 }

describe('a token bucket', () => {
  it('allows its count at once, then one for each share of the window', () => {
    const bucket = new TokenBucket(RATE, 0)
    for (let call = 0; call < 10; call += 1) expect(bucket.take(0)).toBe(0)
    expect(bucket.take(0)).toBe(100)
    expect(bucket.take(60)).toBe(40)
    expect(bucket.take(100)).toBe(0)
    expect(bucket.take(100)).toBe(100)
  })

  it('never holds more than its count, however long nobody calls', () => {
    const bucket = new TokenBucket(RATE, 0)
    for (let call = 0; call < 10; call += 1) expect(bucket.take(1_000_000)).toBe(0)
    expect(bucket.take(1_000_000)).toBe(100)
  })

  it('gains nothing from a clock that goes back', () => {
    const bucket = new TokenBucket(RATE, 1_000)
    for (let call = 0; call < 10; call += 1) bucket.take(1_000)
    expect(bucket.take(0)).toBe(100)
    expect(bucket.take(1_000)).toBe(100)
    expect(bucket.take(1_100)).toBe(0)
  })
})

describe('a limiter', () => {
  it('keeps one bucket for each peer and name', () => {
    const limiter = new RateLimiter()
    const bucket = limiter.bucket('a', 'x', RATE, 0)
    expect(limiter.bucket('a', 'x', RATE, 5)).toBe(bucket)
    expect(limiter.bucket('a', 'y', RATE, 5)).not.toBe(bucket)
    expect(limiter.bucket('b', 'x', RATE, 5)).not.toBe(bucket)
  })

  it('drops the longest unused beyond its bound', () => {
    const limiter = new RateLimiter(3)
    const first = limiter.bucket('first', 'x', RATE, 0)
    const second = limiter.bucket('second', 'x', RATE, 0)
    limiter.bucket('third', 'x', RATE, 0)
    limiter.bucket('first', 'x', RATE, 0)
    limiter.bucket('fourth', 'x', RATE, 0)
    expect(limiter.size).toBe(3)
    expect(limiter.bucket('first', 'x', RATE, 0)).toBe(first)
    expect(limiter.bucket('second', 'x', RATE, 0)).not.toBe(second)
  })
})
