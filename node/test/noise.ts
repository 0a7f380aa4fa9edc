// Seeded pseudo-random numbers for tests; the seed belongs in every failure message.

export interface Noise {
  readonly seed: number
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
}

/** Mulberry32, from the given seed or, without one, from one that differs from day to day. */
export function createNoise(
  seed = Number(process.env.KITH_SEED ?? Math.floor(Date.now() / 86_400_000))
): Noise {
  let state = seed >>> 0
  return {
    seed,
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = state
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
    }
  }
}
