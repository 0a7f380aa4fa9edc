// One at a time: work that reads, decides and writes must not interleave with its like. Waiting is bounded.
import { ProtocolError } from '@kith/protocols'

/** When a refused caller should try again: some hundred commits later. */
const RETRY_MS = 500

/** Runs tasks one after the other; at most `waitingMax` wait, further ones are refused as `unavailable`. */
export class Serial {
  readonly #waitingMax: number
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) {
      const error = new ProtocolError('unavailable', 'queue-full', { retryAfterMs: RETRY_MS })
      return Promise.reject(error)
    }
    this.#waiting += 1
    const result = this.#last.then(task).finally(() => {
      this.#waiting -= 1
    })
    // The next task starts whatever became of this one; its own caller sees the failure.
    this.#last = result.catch(() => undefined)
    return result
  }
}
