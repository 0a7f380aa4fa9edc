// Randomness from outside, so that a simulated run can be replayed from its seed.

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array
  /** In [0, 1); for jitter, never for keys. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random()
}
