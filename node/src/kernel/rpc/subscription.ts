// The subscriber's end of a subscription: items wait here under the credit given to the publisher, and credit
// goes back with the acknowledgement of items that were taken out.
import {
  decodeBounded,
  frame as frames,
  ProtocolError,
  type SubscriptionProtocol
} from '@kith/protocols'
import { type Frame, KIND, type OutgoingFrame } from '../frame-codec.ts'
import type { ClientExchange } from './client-request.ts'
import { ITEM_OVERHEAD_BYTES } from './limits.ts'
import { errorOf } from './status.ts'

/**
 * Iterated once. Iteration ends when the publisher ended it, and throws ProtocolError when it refused or the
 * stream was lost, or the reason of the aborted signal. Items that arrived before the end are still yielded.
 */
export interface Subscription<Item, Acknowledgement> extends AsyncIterable<Item> {
  /** Sends it, and with it the credit of all items yielded so far. Does nothing once ended. */
  acknowledge(acknowledgement: Acknowledgement): void
  /** Ends it from this side; items not yielded are dropped. */
  close(): void
}

interface SubscriptionInit {
  readonly id: number
  readonly signal: AbortSignal
  readonly send: (frame: OutgoingFrame) => void
  readonly abort: (error: Error) => void
  readonly done: () => void
}

interface HeldItem<Item> {
  readonly item: Item
  readonly cost: number
}

export class ClientSubscription<Request, Item, Acknowledgement>
  implements Subscription<Item, Acknowledgement>, ClientExchange, AsyncIterator<Item, undefined>
{
  readonly id: number
  readonly deadlineMs = Number.POSITIVE_INFINITY
  readonly #protocol: SubscriptionProtocol<Request, Item, Acknowledgement>
  readonly #init: SubscriptionInit
  readonly #items: HeldItem<Item>[] = []
  readonly #onAbort = () => this.fail(this.#init.signal.reason)
  #creditLeft: number
  #yieldedBytes = 0
  #ended = false
  #error: unknown
  #next: PromiseWithResolvers<IteratorResult<Item, undefined>> | undefined

  constructor(
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    init: SubscriptionInit
  ) {
    this.id = init.id
    this.#protocol = protocol
    this.#init = init
    this.#creditLeft = protocol.limits.creditBytes
    init.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const held = this.#items.shift()
    if (held !== undefined) {
      this.#yieldedBytes += held.cost
      return Promise.resolve({ done: false, value: held.item })
    }
    if (this.#ended) return this.#finalResult()
    if (this.#next !== undefined) throw new Error('a subscription is iterated by one consumer')
    this.#next = Promise.withResolvers()
    return this.#next.promise
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  acknowledge(acknowledgement: Acknowledgement): void {
    if (this.#ended) return
    const body = this.#protocol.acknowledgement.encode(acknowledgement)
    const credit = this.#yieldedBytes
    this.#yieldedBytes = 0
    this.#creditLeft += credit
    this.#init.send({ kind: KIND.credit, id: this.id, body, credit })
  }

  close(): void {
    this.#items.length = 0
    if (this.#ended) return
    this.#init.send({ kind: KIND.end, id: this.id })
    this.#end(undefined)
  }

  onFrame(frame: Frame): void {
    if (frame.kind === frames.FrameKind.ITEM) return this.#take(frame)
    if (frame.kind !== frames.FrameKind.END) {
      throw new ProtocolError('malformed', 'a subscription is answered by items and an end')
    }
    this.#end(frame.status === 0 ? undefined : errorOf(frame, this.#protocol.id))
  }

  fail(error: unknown): void {
    if (this.#ended) return
    // On a lost stream this writes nothing.
    this.#init.send({ kind: KIND.end, id: this.id })
    this.#end(error)
  }

  #take(frame: Frame): void {
    const cost = frame.body.byteLength + ITEM_OVERHEAD_BYTES
    this.#creditLeft -= cost
    if (this.#creditLeft < 0) throw new ProtocolError('malformed', 'more items than credit')
    // Throws: a publisher that sends garbage loses the stream.
    const item = decodeBounded(this.#protocol.item, frame.body, this.#protocol.limits.itemBytes)
    if (this.#next === undefined) {
      this.#items.push({ item, cost })
      return
    }
    this.#yieldedBytes += cost
    this.#next.resolve({ done: false, value: item })
    this.#next = undefined
  }

  #end(error: unknown): void {
    this.#ended = true
    this.#error = error
    this.#init.signal.removeEventListener('abort', this.#onAbort)
    this.#init.done()
    const waiting = this.#next
    this.#next = undefined
    if (waiting === undefined) return
    if (error === undefined) waiting.resolve({ done: true, value: undefined })
    else waiting.reject(error)
  }

  #finalResult(): Promise<IteratorResult<Item, undefined>> {
    const error = this.#error
    // Thrown once; after that the iterator is at its end.
    this.#error = undefined
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error)
  }
}
