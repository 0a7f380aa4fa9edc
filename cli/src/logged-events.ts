// Durable events one after the other, waiting for the next: what `kith events`, subscriptions and event streams read.
import type { LoggedEvent, MessengerApi } from '@kith/node'

/** How long one read waits; a lost connection is noticed after it at the latest. */
const READ_WAIT_MS = 30_000
const READ_LIMIT = 100

export interface LogPosition {
  /** Behind this number. */
  readonly after?: number | undefined
  /** Behind what this consumer has confirmed, when there is no number. */
  readonly consumer?: string | undefined
}

/**
 * A page at a time, oldest first, until the signal aborts; with `isOnce` until there is nothing more. Throws what
 * `readEvents` throws.
 */
export async function* loggedEvents(
  api: Pick<MessengerApi, 'readEvents'>,
  { after, consumer }: LogPosition,
  { signal, isOnce = false }: { signal: AbortSignal; isOnce?: boolean }
): AsyncIterable<readonly LoggedEvent[]> {
  let next = after
  while (!signal.aborted) {
    const position =
      next === undefined ? (consumer === undefined ? {} : { consumer }) : { after: next }
    const waitMs = isOnce ? 0 : READ_WAIT_MS
    const view = await api.readEvents({ ...position, limit: READ_LIMIT, waitMs }, signal)
    if (view.events.length > 0) yield view.events
    // Number 0 stands for the oldest kept, which a reader that has seen nothing goes on asking for.
    next = view.next
    if (isOnce && view.next >= view.newest) return
  }
}
