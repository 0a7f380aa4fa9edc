// What happened, in the order in which it became durable: an event is written in the transaction of what it tells, so
// that neither is there without the other. Readers see an event once everything before it is on disk.
import { type EventsView, type LoggedEvent, type NodeEvent, UserError } from '../api.ts'
import type { Clock } from '../kernel/clock.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey, u48 } from '../kernel/store/key.ts'
import type { Store, Write } from '../kernel/store/store.ts'
import { EVENTS_KEPT_MAX } from './limits.ts'

const LOG = 'events/log'

/** Events on their way to disk. */
export interface Entry {
  /** For the caller's transaction. */
  readonly writes: readonly Write[]
  /** To be called once that is on disk. */
  readonly kept: () => void
}

export interface EventLogComponents {
  readonly store: Store
  readonly clock: Clock
}

const keyOf = (number: number): Uint8Array => storeKey(LOG, u48(number))

export class EventLog {
  readonly #components: EventLogComponents
  readonly #keptMax: number
  /** Numbers of the oldest event kept and of the newest given out; none when the first is higher. */
  #first: number
  #last: number
  /** First and last numbers of entries that are not on disk yet, in order. */
  readonly #pending = new Set<{ readonly from: number }>()
  #wake = Promise.withResolvers<void>()

  private constructor(
    components: EventLogComponents,
    { first, last, keptMax }: { first: number; last: number; keptMax: number }
  ) {
    this.#components = components
    this.#first = first
    this.#last = last
    this.#keptMax = keptMax
  }

  static async open(components: EventLogComponents, keptMax = EVENTS_KEPT_MAX): Promise<EventLog> {
    const at = async (reverse: boolean): Promise<number | undefined> => {
      const range = { ...rangeOf(LOG), reverse, limit: 1 }
      for await (const [, value] of components.store.scan(range)) {
        return decodeRecord<LoggedEvent>(value).number
      }
      return undefined
    }
    const last = (await at(true)) ?? 0
    const first = (await at(false)) ?? last + 1
    return new EventLog(components, { first, last, keptMax })
  }

  /** Number of the oldest event kept. */
  get first(): number {
    return this.#first
  }

  /** Number of the newest event that readers may see; 0 before the first. */
  get newest(): number {
    const [oldest] = this.#pending
    return oldest === undefined ? this.#last : oldest.from - 1
  }

  /** Numbers the events. A transaction that fails leaves them unseen for ever, with all that would follow. */
  enter(events: readonly NodeEvent[]): Entry {
    if (events.length === 0) return { writes: [], kept: () => {} }
    const pending = { from: this.#last + 1 }
    const writes: Write[] = []
    const atMs = this.#components.clock.now()
    for (const event of events) {
      this.#last += 1
      const logged: LoggedEvent = { number: this.#last, atMs, event }
      writes.push({ type: 'put', key: keyOf(this.#last), value: encodeRecord(logged) })
    }
    for (; this.#first <= this.#last - this.#keptMax; this.#first += 1) {
      writes.push({ type: 'delete', key: keyOf(this.#first) })
    }
    this.#pending.add(pending)
    return {
      writes,
      kept: () => {
        this.#pending.delete(pending)
        this.#wake.resolve()
        this.#wake = Promise.withResolvers()
      }
    }
  }

  /**
   * The oldest events after a number, at most `limit`. Throws UserError `events-gone` when the one after it is not
   * kept any more, `unknown-event` when the number has not been given out.
   */
  async read(after: number, limit: number): Promise<EventsView> {
    const { newest } = this
    if (after > newest) throw unknownEvent(after, newest)
    if (after + 1 < this.#first) throw eventsGone(after, this.#first)
    const events: LoggedEvent[] = []
    const range = { from: keyOf(after + 1), to: keyOf(newest + 1) }
    for await (const [, value] of this.#components.store.scan({ ...range, limit })) {
      events.push(decodeRecord<LoggedEvent>(value))
    }
    return { events, next: events.at(-1)?.number ?? after, newest }
  }

  /** Resolves once there is an event after a number, or the signal aborts. */
  async waitFor(after: number, signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    while (!signal.aborted && this.newest <= after) {
      await Promise.race([this.#wake.promise, aborted])
    }
    signal.removeEventListener('abort', onAbort)
  }
}

/** UserError `unknown-event`: the number is beyond the newest. */
export function unknownEvent(number: number, newest: number): UserError {
  return new UserError('unknown-event', `There is no event ${number}; the newest is ${newest}.`, {
    hint: 'Use the number of an event of this device, or 0 for the oldest.'
  })
}

function eventsGone(after: number, first: number): UserError {
  const message = `Events before ${first} are not kept any more, and ${after + 1} is one of them.`
  return new UserError('events-gone', message, {
    hint: `kith message list shows the messages; events go on after ${first - 1}.`
  })
}
