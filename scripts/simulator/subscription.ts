// The two ends of a simulated subscription: a window at the publisher, which acknowledgements open again, and a queue
// at the subscriber.
import type { Subscription } from '@kith/node/kernel'

/** Items on their way: few, so that a slow reader is met often. */
const WINDOW = 8

export class PushWindow {
  #left = WINDOW
  #isOpen = true
  readonly #waiting: (() => void)[] = []
  #listener: (acknowledgement: unknown) => void = () => {}

  /** Resolves once the item has been sent; never when the exchange has ended. */
  push(send: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        send()
        resolve()
      })
      this.#fill()
    })
  }

  listen(listener: (acknowledgement: unknown) => void): void {
    this.#listener = listener
  }

  acknowledge(acknowledgement: unknown, credit: number): void {
    if (!this.#isOpen) return
    this.#left += credit
    this.#listener(acknowledgement)
    this.#fill()
  }

  close(): void {
    this.#isOpen = false
  }

  #fill(): void {
    while (this.#isOpen && this.#left > 0 && this.#waiting.length > 0) {
      this.#left -= 1
      this.#waiting.shift()?.()
    }
  }
}

interface QueueInit<Acknowledgement> {
  readonly acknowledge: (acknowledgement: Acknowledgement, credit: number) => void
  readonly close: () => void
}

export class ItemQueue<Item, Acknowledgement>
  implements Subscription<Item, Acknowledgement>, AsyncIterator<Item, undefined>
{
  readonly #init: QueueInit<Acknowledgement>
  readonly #items: Item[] = []
  #yielded = 0
  #end: { readonly error: unknown } | undefined
  #next: PromiseWithResolvers<IteratorResult<Item, undefined>> | undefined

  constructor(init: QueueInit<Acknowledgement>) {
    this.#init = init
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift()
    if (item !== undefined) {
      this.#yielded += 1
      return Promise.resolve({ done: false, value: item })
    }
    if (this.#end !== undefined) return this.#ended(this.#end.error)
    this.#next = Promise.withResolvers()
    return this.#next.promise
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  acknowledge(acknowledgement: Acknowledgement): void {
    if (this.#end !== undefined) return
    const credit = this.#yielded
    this.#yielded = 0
    this.#init.acknowledge(acknowledgement, credit)
  }

  close(): void {
    this.#items.length = 0
    this.#init.close()
  }

  take(item: Item): void {
    if (this.#end !== undefined) return
    if (this.#next === undefined) {
      this.#items.push(item)
      return
    }
    this.#yielded += 1
    this.#next.resolve({ done: false, value: item })
    this.#next = undefined
  }

  /** Items that arrived before are still yielded. */
  end(error: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    const next = this.#next
    this.#next = undefined
    if (next !== undefined) this.#ended(error).then(next.resolve, next.reject)
  }

  #ended(error: unknown): Promise<IteratorResult<Item, undefined>> {
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error)
  }
}
