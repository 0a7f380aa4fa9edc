// Who waits for a text to be taken into the outbox: each is told that it is on disk, or why it was not taken.
import type { DeliveryEvent } from './inputs.ts'
import type { OutboxEntry } from './state.ts'

export class Composing {
  readonly #waiting = new Map<number, PromiseWithResolvers<OutboxEntry>>()
  #last = 0

  /** `composed` settles with the event for this request, or with `fail`. */
  open(): { readonly request: number; readonly composed: Promise<OutboxEntry> } {
    this.#last += 1
    const waiting = Promise.withResolvers<OutboxEntry>()
    this.#waiting.set(this.#last, waiting)
    return { request: this.#last, composed: waiting.promise }
  }

  /** Only what became of a text means anything here. */
  settle(event: DeliveryEvent): void {
    if (event.type !== 'composed' && event.type !== 'not-composed') return
    const waiting = this.#waiting.get(event.request)
    this.#waiting.delete(event.request)
    if (event.type === 'composed') waiting?.resolve(event.entry)
    else waiting?.reject(event.error)
  }

  /** Whoever still waits gets this error. */
  fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
