// Token buckets: how often one peer may call one protocol. They outlive the peer's connections, so that
// reconnecting does not fill them.
import type { Rate } from '@kith/protocols'

/** Buckets kept: 10,000 peers calling 10 protocols, at some 100 bytes each. */
export const BUCKETS_MAX = 100_000

export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #refilledAtMs: number

  /** Starts full: `rate.count` calls at once are allowed, then `rate.count` in every `rate.windowMs`. */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#tokens = rate.count
    this.#refilledAtMs = nowMs
  }

  /**
   * Takes tokens if there is at least one: 0, or milliseconds until there is one. What costs more than there are
   * is owed, so that it is possible at all. `nowMs` is monotonic.
   */
  take(nowMs: number, cost = 1): number {
    this.#refill(nowMs)
    if (this.#tokens >= 1) {
      this.#tokens -= cost
      return 0
    }
    return Math.ceil(((1 - this.#tokens) * this.#rate.windowMs) / this.#rate.count)
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs)
    const gained = (elapsedMs * this.#rate.count) / this.#rate.windowMs
    this.#tokens = Math.min(this.#rate.count, this.#tokens + gained)
    this.#refilledAtMs = Math.max(nowMs, this.#refilledAtMs)
  }
}

/** The buckets of all peers; the longest unused are dropped beyond BUCKETS_MAX. */
export class RateLimiter {
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #bucketsMax: number

  constructor(bucketsMax = BUCKETS_MAX) {
    this.#bucketsMax = bucketsMax
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Whoever holds on to the bucket saves the look-up; peer and name together are the key. */
  bucket(peer: string, name: string, rate: Rate, nowMs: number): TokenBucket {
    const key = `${peer} ${name}`
    const bucket = this.#buckets.get(key) ?? new TokenBucket(rate, nowMs)
    // Behind all others, so that the first one is the longest unused.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#bucketsMax) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return bucket
  }
}
