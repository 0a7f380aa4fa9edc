// Durable events: everything that happened, numbered, with a cursor for each consumer.
import type { EventsApi, EventsView, ReadEventsOptions } from '../api.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Store } from '../kernel/store/store.ts'
import { Consumers } from './consumers.ts'
import type { EventLog } from './event-log.ts'
import { EVENTS_READ_MAX, EVENTS_READ_USUAL, EVENTS_WAIT_MS_MAX } from './limits.ts'

export { EventLog } from './event-log.ts'

export interface EventReaderComponents {
  readonly store: Store
  readonly clock: Clock
  readonly log: EventLog
}

/** The log as programs read it. */
export class EventReader implements EventsApi {
  readonly #components: EventReaderComponents
  readonly #consumers: Consumers
  readonly #stopping = new AbortController()

  private constructor(components: EventReaderComponents, consumers: Consumers) {
    this.#components = components
    this.#consumers = consumers
  }

  static async open(components: EventReaderComponents): Promise<EventReader> {
    return new EventReader(components, await Consumers.open(components))
  }

  readEvents: EventsApi['readEvents'] = async (options, signal): Promise<EventsView> => {
    const { log } = this.#components
    const { waitMs = 0, limit = EVENTS_READ_USUAL } = options
    const after = await this.#after(options)
    if (waitMs > 0 && after === log.newest) await this.#wait(after, waitMs, signal)
    return await log.read(after, Math.min(limit, EVENTS_READ_MAX))
  }

  confirmEvents: EventsApi['confirmEvents'] = ({ consumer, number }) =>
    this.#consumers.confirm(consumer, number)

  listConsumers: EventsApi['listConsumers'] = async () => this.#consumers.list()

  forgetConsumer: EventsApi['forgetConsumer'] = ({ consumer }) => this.#consumers.forget(consumer)

  /** Nobody waits any longer. */
  stop(): void {
    this.#stopping.abort()
  }

  async #after({ after, consumer }: ReadEventsOptions): Promise<number> {
    if (after === undefined && consumer !== undefined) {
      return await this.#consumers.confirmed(consumer)
    }
    return after === undefined || after === 0 ? this.#components.log.first - 1 : after
  }

  async #wait(after: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    const { clock, log } = this.#components
    const waiting = new AbortController()
    const end = (): void => waiting.abort()
    const cancel = clock.schedule(Math.min(waitMs, EVENTS_WAIT_MS_MAX), end)
    const signals = signal === undefined ? [this.#stopping.signal] : [this.#stopping.signal, signal]
    for (const one of signals) {
      if (one.aborted) end()
      else one.addEventListener('abort', end, { once: true })
    }
    await log.waitFor(after, waiting.signal)
    for (const one of signals) one.removeEventListener('abort', end)
    cancel()
  }
}
