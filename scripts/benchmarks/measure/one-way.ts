// From one process to another: both read the same clock, which is the machine's.

/** Between two messages, so that what one leaves to do is not counted as the next one's. */
export const PAUSE_MS = 5

export interface SendOrder {
  readonly to: string
  /** Names of the messages, each unique in the run. */
  readonly texts: readonly string[]
}

export interface Sent {
  readonly text: string
  readonly atMs: number
}

export interface Shown extends Sent {
  readonly path: string
}

/** Milliseconds of the monotonic clock that all processes of a machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
