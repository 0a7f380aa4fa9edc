// Limits of the event log.

/** Events kept; the oldest go first. A bot that is away for a month at a message a minute finds everything. */
export const EVENTS_KEPT_MAX = 50_000
/** Consumers that may have a cursor here; each is a record of some bytes. */
export const CONSUMERS_MAX = 64
/** Events that one read may ask for. */
export const EVENTS_READ_MAX = 1_000
export const EVENTS_READ_USUAL = 100
/** Longest that a read waits for something to come. */
export const EVENTS_WAIT_MS_MAX = 60_000
