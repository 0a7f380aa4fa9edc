// Live events for any number of listeners. Each has a bounded queue of its own; one that does not keep up is cut
// off with an error, and what it missed is in the store.
import { type NodeEvent, UserError } from './api.ts'

/** Events waiting for one listener. More would let a stalled terminal hold memory; fewer would cut off a script
 * during a burst that it survives. */
const EVENTS_WAITING_MAX = 10_000

interface Listener {
  readonly queue: NodeEvent[]
  wake: () => void
  overrun: boolean
}

export class EventHub {
  readonly #listeners = new Set<Listener>()

  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) {
      if (listener.queue.length < EVENTS_WAITING_MAX) listener.queue.push(event)
      else {
        // From here on there would be a hole: what is queued is its last.
        listener.overrun = true
        this.#listeners.delete(listener)
      }
      listener.wake()
    }
  }

  /** Events from this call on, until the signal aborts. Listening begins at once, not at the first `next`. */
  subscribe(signal: AbortSignal): AsyncIterable<NodeEvent> {
    const listener: Listener = { queue: [], wake: () => {}, overrun: false }
    this.#listeners.add(listener)
    const onAbort = () => {
      this.#listeners.delete(listener)
      listener.wake()
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    return this.#drain(listener, signal)
  }

  async *#drain(listener: Listener, signal: AbortSignal): AsyncGenerator<NodeEvent> {
    try {
      while (!signal.aborted) {
        const event = listener.queue.shift()
        if (event !== undefined) {
          yield event
        } else if (listener.overrun) {
          throw new UserError('events-overrun', 'Events came faster than they were read.', {
            hint: 'kith message list shows what was missed.'
          })
        } else {
          await new Promise<void>((resolve) => {
            listener.wake = resolve
          })
        }
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }
}
