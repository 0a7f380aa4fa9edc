// Randomness from outside, so that a simulated run can be replayed from its seed.

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array
  /** In [0, 1); for jitter, never for keys. */
  fraction(): number
}

/** Drawn at once: a call into the system costs more than the nonce that it is for, and a message takes eight. */
const POOL_BYTES = 4_096
/** Larger draws, keys among them, come from the system directly and are in no pool. */
const POOLED_BYTES_MAX = 16

const pool = new Uint8Array(POOL_BYTES)
let taken = POOL_BYTES

function pooled(length: number): Uint8Array {
  if (taken + length > POOL_BYTES) {
    crypto.getRandomValues(pool)
    taken = 0
  }
  const bytes = pool.slice(taken, taken + length)
  // Given out once, and not to be read here afterwards.
  pool.fill(0, taken, taken + length)
  taken += length
  return bytes
}

export const systemRandom: Random = {
  bytes: (length) =>
    length <= POOLED_BYTES_MAX ? pooled(length) : crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random()
}
