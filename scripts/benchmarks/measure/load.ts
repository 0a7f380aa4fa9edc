// The load every side of a comparison is given: so many operations, so many of them in flight.
import { percentile } from './statistics.ts'

export interface Load {
  readonly count: number
  /** Operations started and not finished, at any time. */
  readonly inFlight: number
}

export interface LoadResult {
  readonly count: number
  readonly seconds: number
  readonly perSecond: number
  /** Milliseconds from start to end of one operation. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs `operation` for each index of the load. Rejects with the first failure. */
export async function drive(
  load: Load,
  operation: (index: number) => Promise<unknown>
): Promise<LoadResult> {
  const latenciesMs: number[] = []
  let next = 0
  const lane = async () => {
    while (next < load.count) {
      const index = next++
      const startedMs = performance.now()
      await operation(index)
      latenciesMs.push(performance.now() - startedMs)
    }
  }
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: Math.min(load.inFlight, load.count) }, lane))
  const seconds = (performance.now() - startedMs) / 1000
  return {
    count: load.count,
    seconds,
    perSecond: load.count / seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99)
  }
}
