// What a driven node prints, and reading it back.
import type { DeliveryState } from '@kith/node'

/**
 * `ready` once it hears everything; `failed` when a text could not be queued; `held` for each message received
 * earlier; otherwise what just happened to the message with this text.
 */
export interface PeerLine {
  readonly type: 'ready' | 'failed' | 'held' | DeliveryState
  readonly text: string
}

/** The line as an event; undefined for anything else, such as a line that kill -9 cut off. */
export function readPeerLine(line: string): PeerLine | undefined {
  try {
    return JSON.parse(line) as PeerLine
  } catch {
    return undefined
  }
}
