// Waiting that an abort ends. One waiter, any number of reasons: a wake-up that comes before the wait is not lost.

export class Wake {
  readonly #signal: AbortSignal
  #isDue = false
  #resolve: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.now(), { once: true })
  }

  now(): void {
    this.#isDue = true
    this.#resolve?.()
  }

  /** Resolves at the first wake-up since the last wait ended, at once if there was one or after an abort. */
  async wait(): Promise<void> {
    if (!this.#isDue && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
      this.#resolve = undefined
    }
    this.#isDue = false
  }
}

/** As the promise settles, or resolves at an abort; nothing stays behind at the signal. */
export function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = promise.then(resolve, reject)
    void settled.finally(() => signal.removeEventListener('abort', onAbort))
  })
}
