// Durable events as a user interface sees them.
import type { NodeEvent } from '../api.ts'

export interface LoggedEvent {
  /** From 1, ascending without holes in the order in which things became durable here. */
  readonly number: number
  /** When this device stored it, by its clock. */
  readonly atMs: number
  readonly event: NodeEvent
}

export interface EventsView {
  readonly events: readonly LoggedEvent[]
  /** Number to read on after. */
  readonly next: number
  /** Number of the newest event there is. */
  readonly newest: number
}

export interface ConsumerView {
  readonly name: string
  /** Number of the last event that it has confirmed. */
  readonly confirmed: number
  /** Events it has yet to confirm. */
  readonly waiting: number
}

export interface ReadEventsOptions {
  /** Events behind this number; 0 for the oldest kept. */
  readonly after?: number
  /** Without `after`: behind what this consumer has confirmed. Unknown names become consumers. */
  readonly consumer?: string
  /** At most 1,000; 100 when absent. */
  readonly limit?: number
  /** How long to wait for the first event when there is none; at most 60,000. */
  readonly waitMs?: number
}

/**
 * Events that are not dropped: messages, states, gaps, contacts, requests, devices and notices, each written with what
 * it tells. The newest 50,000 are kept. Connections and links under way are not among them.
 */
export interface EventsApi {
  /**
   * Oldest first. The same events come again until they are confirmed, or read behind. Throws UserError `events-gone`,
   * `unknown-event`, `bad-consumer`, `too-many-consumers`. An aborted signal ends the waiting.
   */
  readEvents(options: ReadEventsOptions, signal?: AbortSignal): Promise<EventsView>
  /** Everything up to `number` has been dealt with. Throws UserError `unknown-consumer`, `unknown-event`. */
  confirmEvents(options: { consumer: string; number: number }): Promise<ConsumerView>
  listConsumers(): Promise<readonly ConsumerView[]>
  /** Throws UserError `unknown-consumer`. */
  forgetConsumer(options: { consumer: string }): Promise<ConsumerView>
}
