// Exponential back-off with full jitter: a uniformly random part of a doubling ceiling, so that clients that
// lost one relay at the same moment do not come back at the same moment (AWS Architecture Blog, 2015,
// "Exponential Backoff And Jitter").
import type { Random } from './random.ts'

export interface Backoff {
  /** Milliseconds to wait before the next attempt; the ceiling doubles each time. */
  next(): number
  /** After a success. */
  reset(): void
}

/** The first wait lies in [0, firstMs), later ones in [0, min(maxMs, firstMs · 2ⁿ)). */
export function createBackoff(options: {
  readonly firstMs: number
  readonly maxMs: number
  readonly random: Pick<Random, 'fraction'>
}): Backoff {
  let ceilingMs = options.firstMs
  return {
    next() {
      const waitMs = options.random.fraction() * ceilingMs
      ceilingMs = Math.min(options.maxMs, ceilingMs * 2)
      return waitMs
    },
    reset() {
      ceilingMs = options.firstMs
    }
  }
}
