// Time-outs of many exchanges on one timer: setting and clearing a timer for each would cost more than the
// exchange's own bookkeeping.
import type { Clock } from '../clock.ts'

export interface Expiring {
  /** Monotonic milliseconds; Infinity never expires. */
  readonly deadlineMs: number
}

export class Deadlines<T extends Expiring> {
  readonly #clock: Clock
  readonly #entries: () => Iterable<T>
  readonly #expire: (entry: T) => void
  #nextMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  /** `expire` is called once for an entry of `entries()` whose deadline passed, and must take it out of there. */
  constructor(clock: Clock, entries: () => Iterable<T>, expire: (entry: T) => void) {
    this.#clock = clock
    this.#entries = entries
    this.#expire = expire
  }

  /** To be called with the deadline of each new entry. */
  watch(deadlineMs: number): void {
    if (deadlineMs >= this.#nextMs) return
    this.#cancel?.()
    this.#nextMs = deadlineMs
    this.#cancel = this.#clock.schedule(deadlineMs - this.#clock.monotonic(), () => this.#sweep())
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#nextMs = Number.POSITIVE_INFINITY
  }

  #sweep(): void {
    this.#cancel = undefined
    this.#nextMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.monotonic()
    let earliestMs = Number.POSITIVE_INFINITY
    for (const entry of [...this.#entries()]) {
      if (entry.deadlineMs <= nowMs) this.#expire(entry)
      else earliestMs = Math.min(earliestMs, entry.deadlineMs)
    }
    this.watch(earliestMs)
  }
}
