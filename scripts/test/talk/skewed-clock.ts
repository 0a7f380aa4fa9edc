// One machine's clock in a world with one time: timers and durations are everybody's, the wall clock is its own.
import type { Clock } from '@kith/node/kernel'

export class SkewedClock implements Clock {
  /** What the wall clock shows beyond the world's; may be changed at any time, as a user does. */
  offsetMs: number
  readonly #clock: Clock

  constructor(clock: Clock, offsetMs = 0) {
    this.#clock = clock
    this.offsetMs = offsetMs
  }

  now(): number {
    return this.#clock.now() + this.offsetMs
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return this.#clock.schedule(delayMs, callback)
  }
}
