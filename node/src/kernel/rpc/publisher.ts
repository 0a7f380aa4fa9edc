// The publisher's end of a subscription: items leave in order, each when the subscriber's credit and the
// stream's write queue allow it.
import {
  decodeBounded,
  ProtocolError,
  type Publisher,
  type SubscriptionProtocol
} from '@kith/protocols'
import { type Frame, KIND, type OutgoingFrame } from '../frame-codec.ts'
import { ACKNOWLEDGEMENTS_WAITING_MAX, ITEM_OVERHEAD_BYTES, PUSHES_WAITING_MAX } from './limits.ts'

interface PublisherInit {
  readonly id: number
  readonly write: (frame: OutgoingFrame) => void
  readonly isFull: () => boolean
  /** Asks for a call of `advance` once the write queue has room. */
  readonly awaitRoom: () => void
}

interface WaitingPush {
  readonly body: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const SENT = Promise.resolve()

export class ServerPublisher<Request, Item, Acknowledgement>
  implements Publisher<Item, Acknowledgement>
{
  readonly #protocol: SubscriptionProtocol<Request, Item, Acknowledgement>
  readonly #init: PublisherInit
  readonly #waiting: WaitingPush[] = []
  #listener: ((acknowledgement: Acknowledgement) => void) | undefined
  #early: Acknowledgement[] = []
  #credit: number
  #ended: ProtocolError | undefined

  constructor(
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    credit: number,
    init: PublisherInit
  ) {
    this.#protocol = protocol
    this.#init = init
    this.#credit = Math.min(credit, protocol.limits.creditBytes)
  }

  push(item: Item): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const body = this.#protocol.item.encode(item)
    if (body.byteLength > this.#protocol.limits.itemBytes) {
      const detail = `item of more than ${this.#protocol.limits.itemBytes} bytes`
      return Promise.reject(new ProtocolError('too-large', detail))
    }
    if (this.#waiting.length === 0 && this.#send(body)) return SENT
    if (this.#waiting.length >= PUSHES_WAITING_MAX) {
      return Promise.reject(new ProtocolError('unavailable', 'too many items are waiting'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject })
    })
  }

  onAcknowledgement(listener: (acknowledgement: Acknowledgement) => void): void {
    this.#listener = listener
    for (const acknowledgement of this.#early.splice(0)) listener(acknowledgement)
  }

  /** More credit from the subscriber, with an acknowledgement unless the body is empty. Throws ProtocolError. */
  onCredit(frame: Frame): void {
    this.#credit = Math.min(this.#credit + frame.credit, this.#protocol.limits.creditBytes)
    if (frame.body.byteLength > 0) this.#acknowledged(frame.body)
    this.advance()
  }

  /** Sends what waits as far as credit and room go. */
  advance(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#send(first.body)) return
      this.#waiting.shift()
      first.resolve()
    }
  }

  /** The exchange is over: whoever still pushes is told. */
  end(error: ProtocolError): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }

  #send(body: Uint8Array): boolean {
    const cost = body.byteLength + ITEM_OVERHEAD_BYTES
    if (cost > this.#credit) return false
    if (this.#init.isFull()) {
      this.#init.awaitRoom()
      return false
    }
    this.#credit -= cost
    this.#init.write({ kind: KIND.item, id: this.#init.id, body })
    return true
  }

  #acknowledged(body: Uint8Array): void {
    const { acknowledgement: codec, limits } = this.#protocol
    const acknowledgement = decodeBounded(codec, body, limits.acknowledgementBytes)
    if (this.#listener !== undefined) {
      this.#listener(acknowledgement)
      return
    }
    if (this.#early.length >= ACKNOWLEDGEMENTS_WAITING_MAX) this.#early.shift()
    this.#early.push(acknowledgement)
  }
}
