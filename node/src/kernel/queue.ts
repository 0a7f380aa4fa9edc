// A bounded queue between whoever produces and one asynchronous consumer. What happens when it is full is
// chosen by name, never by accident.

export type OverflowPolicy =
  /** `push` refuses the new item. */
  | 'refuse'
  /** The oldest item makes room: for values that a newer one replaces. */
  | 'drop-oldest'

export interface QueueOptions {
  readonly itemsMax: number
  readonly overflow: OverflowPolicy
}

/** First in, first out; one consumer at a time iterates it until it is closed and empty. */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #options: QueueOptions
  readonly #items: T[] = []
  #closed = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#items.length
  }

  /** False: the item was not taken, because the queue is full (`refuse`) or closed. */
  push(item: T): boolean {
    if (this.#closed) return false
    if (this.#items.length >= this.#options.itemsMax) {
      if (this.#options.overflow === 'refuse') return false
      this.#items.shift()
    }
    this.#items.push(item)
    this.#wake?.()
    return true
  }

  /** Iteration ends behind the items already queued, by throwing `error` if given. */
  close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift() as T
      if (this.#closed) {
        if (this.#error !== undefined) throw this.#error
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
