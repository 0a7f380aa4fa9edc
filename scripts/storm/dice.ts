// Seeded chance, so that a storm that found something can be run again.

export interface Dice {
  /** A whole number from `from` to `to`, both included. */
  roll(from: number, to: number): number
  /** True once in `n`. */
  oneIn(n: number): boolean
}

/** Mulberry32: 32 bits of state are plenty for a storm. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const roll = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return { roll, oneIn: (n) => roll(1, n) === 1 }
}
