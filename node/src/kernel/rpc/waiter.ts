// A request that waits for room on a stream, until it may start, runs out of time, or is given up.

export interface WaiterInit {
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
  readonly reject: (error: unknown) => void
}

export class Waiter {
  readonly #start: () => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  readonly #onSettled: () => void
  readonly #onAbort = () => this.fail(this.#signal?.reason)

  constructor(
    start: () => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
    onSettled: () => void
  ) {
    this.#start = start
    this.#reject = reject
    this.#signal = signal
    this.#onSettled = onSettled
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  proceed(): void {
    this.#settle()
    this.#start()
  }

  fail(error: unknown): void {
    this.#settle()
    this.#reject(error)
  }

  #settle(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#onSettled()
  }
}
