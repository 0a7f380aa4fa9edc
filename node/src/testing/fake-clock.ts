// A clock that stands still until a test moves it. Timers of the same moment run in the order they were set.
import type { Clock } from '../kernel/clock.ts'
import { afterReadyInput } from '../kernel/defer.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** The wall clock starts here: any fixed moment that is plainly not now. */
const START_MS = Date.UTC(2030, 0, 1)

export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>()
  #monotonicMs = 0
  #wallOffsetMs = START_MS
  #order = 0

  now(): number {
    // Whole milliseconds, as Date.now tells them, whatever part of one a timer fell on.
    return Math.floor(this.#monotonicMs + this.#wallOffsetMs)
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    this.#order += 1
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Moves the wall clock alone, as a user or a time server does. */
  shiftWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /**
   * Moves on by `byMs`, running each timer at its moment; what a timer sets in motion (promises, deliveries of
   * the memory network) finishes before the next timer runs.
   */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs
    await settled()
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.#timers.delete(next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs)
      next.callback()
      await settled()
    }
    this.#monotonicMs = untilMs
  }

  #due(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue
      const isEarlier =
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.order < first.order)
      if (isEarlier) first = timer
    }
    return first
  }
}

/** After all promises that can settle without a timer or the outside world. */
export function settled(): Promise<void> {
  return new Promise(afterReadyInput)
}
