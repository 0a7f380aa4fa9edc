// Virtual time: everything that happens is an event of this queue, in the order of its time. Events of the same
// moment are shuffled by the seed, so that no check rests on an order that nothing promises.
import type { Clock } from '@kith/node/kernel'
import type { Dice } from '../storm/dice.ts'

interface Event {
  readonly atMs: number
  /** Decides between events of one moment. */
  readonly tie: number
  readonly order: number
  readonly run: () => void
  isCancelled: boolean
}

/** The wall clocks start here: any fixed moment that is plainly not now. */
const START_MS = Date.UTC(2030, 0, 1)
const TIE_MAX = 0xffff_ffff

/** Taken before a run forbids it to everybody else. */
const later = setImmediate

/** After all promises that can settle without an event. */
const settled = (): Promise<void> => new Promise((resolve) => later(resolve))

export class Scheduler {
  readonly #dice: Dice
  /** A binary heap: the earliest is first. */
  readonly #events: Event[] = []
  #nowMs = 0
  #order = 0

  constructor(dice: Dice) {
    this.#dice = dice
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Calls back once; the returned function cancels. */
  schedule(delayMs: number, run: () => void): () => void {
    this.#order += 1
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: this.#dice.roll(0, TIE_MAX),
      order: this.#order,
      run,
      isCancelled: false
    }
    this.#events.push(event)
    this.#rise(this.#events.length - 1)
    return () => {
      event.isCancelled = true
    }
  }

  /** Runs every event of the next `ms`; what one sets in motion is done before the next begins. */
  async run(ms: number, afterEach: () => void): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settled()
    for (;;) {
      const [first] = this.#events
      if (first === undefined || first.atMs > untilMs) break
      this.#take()
      if (first.isCancelled) continue
      this.#nowMs = first.atMs
      first.run()
      await settled()
      afterEach()
    }
    this.#nowMs = untilMs
  }

  #take(): void {
    const last = this.#events.pop()
    if (last === undefined || this.#events.length === 0) return
    this.#events[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(from: number): void {
    let at = from
    for (;;) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#events.length && this.#isBefore(child, first)) first = child
      }
      if (first === at) return
      this.#swap(at, first)
      at = first
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#events[a] as Event, this.#events[b] as Event]
    return (one.atMs - other.atMs || one.tie - other.tie || one.order - other.order) < 0
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#events[a] as Event, this.#events[b] as Event]
    this.#events[a] = other
    this.#events[b] = one
  }
}

/** The clock of one node: its wall clock jumps by itself, its timers are events. A node that is gone has none. */
export class NodeClock implements Clock {
  readonly #scheduler: Scheduler
  #wallOffsetMs = START_MS

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  now(): number {
    return Math.floor(this.#scheduler.nowMs + this.#wallOffsetMs)
  }

  monotonic(): number {
    return this.#scheduler.nowMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return this.#scheduler.schedule(delayMs, callback)
  }

  /** Moves the wall clock alone, as a user or a time server does. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs
  }
}
