// The asking side of one stream: numbers the exchanges, hands answers to whoever waits, and closes the stream
// when nothing was exchanged for a while.
import {
  frame as frames,
  type Protocol,
  ProtocolError,
  type SubscriptionProtocol
} from '@kith/protocols'
import type { ByteStream } from '../byte-stream.ts'
import type { Clock } from '../clock.ts'
import { type Frame, KIND } from '../frame-codec.ts'
import { FrameChannel } from '../framing.ts'
import { type Asked, type ClientExchange, ClientRequest } from './client-request.ts'
import { Deadlines } from './deadlines.ts'
import {
  BODY_BYTES_MAX,
  EXCHANGES_MAX,
  OPENER_IDLE_MS,
  PROBE_TIMEOUT_MS,
  SUBSCRIPTIONS_MAX,
  WAITERS_MAX
} from './limits.ts'
import { lostError } from './status.ts'
import { ClientSubscription, type Subscription } from './subscription.ts'
import { Waiter, type WaiterInit } from './waiter.ts'

export interface ClientLaneInit {
  readonly clock: Clock
  readonly defer: (callback: () => void) => void
  /** The stream is of no use any more: closed, idle or lost. */
  readonly onEnd: () => void
}

const methodBytes = new WeakMap<object, Uint8Array>()

function methodOf(protocol: { readonly id: string }): Uint8Array {
  let bytes = methodBytes.get(protocol)
  if (bytes === undefined) {
    bytes = new TextEncoder().encode(protocol.id)
    methodBytes.set(protocol, bytes)
  }
  return bytes
}

export class ClientLane {
  readonly #clock: Clock
  readonly #channel: FrameChannel
  readonly #onEnd: () => void
  readonly #exchanges = new Map<number, ClientExchange>()
  readonly #deadlines: Deadlines<ClientExchange>
  readonly #waiters: Waiter[] = []
  #isEnded = false
  #subscriptions = 0
  #receivedFrames = 0
  #isProbing = false
  #nextId = 1
  #lastActiveMs: number
  #cancelWatch: (() => void) | undefined

  constructor(stream: ByteStream, init: ClientLaneInit) {
    this.#clock = init.clock
    this.#onEnd = init.onEnd
    this.#deadlines = new Deadlines(
      init.clock,
      () => this.#exchanges.values(),
      (exchange) => this.#expire(exchange)
    )
    this.#lastActiveMs = init.clock.monotonic()
    this.#channel = new FrameChannel(
      stream,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onRoom: () => this.#wake(),
        onEnd: (error) => this.#ended(error)
      },
      init
    )
    this.#watch(OPENER_IDLE_MS)
  }

  get isOpen(): boolean {
    return this.#channel.isOpen
  }

  /** Bytes written and not yet taken by the transport. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes
  }

  request<Request, Response>(
    protocol: Protocol<Request, Response>,
    message: Request,
    signal: AbortSignal | undefined
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const body = encodeWithin(protocol, message, protocol.limits.requestBytes)
      const deadlineMs = this.#clock.monotonic() + protocol.limits.timeoutMs
      const ask = () => this.#ask({ protocol, deadlineMs, signal, resolve, reject }, body)
      if (this.#hasRoom) ask()
      else this.#wait(ask, { deadlineMs, signal, reject })
    })
  }

  subscribe<Request, Item, Acknowledgement>(
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    message: Request,
    signal: AbortSignal
  ): Subscription<Item, Acknowledgement> {
    const body = encodeWithin(protocol, message, protocol.limits.requestBytes)
    if (!this.isOpen) throw lostError(undefined)
    if (this.#subscriptions >= SUBSCRIPTIONS_MAX) {
      throw new ProtocolError('unavailable', `more than ${SUBSCRIPTIONS_MAX} subscriptions`)
    }
    const id = this.#takeId()
    const subscription = new ClientSubscription(protocol, {
      id,
      signal,
      send: (frame) => this.#channel.write(frame),
      abort: (error) => this.#channel.abort(error),
      done: () => {
        this.#subscriptions -= 1
        this.#finish(id)
      }
    })
    this.#subscriptions += 1
    this.#exchanges.set(id, subscription)
    this.#channel.write({
      kind: KIND.subscribe,
      id,
      method: methodOf(protocol),
      body,
      credit: protocol.limits.creditBytes
    })
    return subscription
  }

  /** Ends the stream; whatever is pending fails with `unreachable`. */
  close(): void {
    if (this.#exchanges.size > 0) this.#channel.abort(new Error('closed with exchanges running'))
    else this.#channel.close()
    this.#ended(undefined)
  }

  get #hasRoom(): boolean {
    return this.#waiters.length === 0 && this.#mayAsk
  }

  get #mayAsk(): boolean {
    const running = this.#exchanges.size - this.#subscriptions
    return running < EXCHANGES_MAX && !this.#channel.isFull
  }

  #ask<Request, Response>(asked: Asked<Request, Response>, body: Uint8Array): void {
    if (!this.isOpen) return asked.reject(lostError(undefined))
    const id = this.#takeId()
    const exchange = new ClientRequest(id, asked, {
      cancel: () => this.#channel.write({ kind: KIND.end, id }),
      done: () => this.#finish(id)
    })
    this.#exchanges.set(id, exchange)
    this.#deadlines.watch(asked.deadlineMs)
    this.#channel.write({ kind: KIND.request, id, method: methodOf(asked.protocol), body })
  }

  /** Calls `start`, in order of call, once another request may be written. */
  #wait(start: () => void, { deadlineMs, signal, reject }: WaiterInit): void {
    if (this.#waiters.length >= WAITERS_MAX) {
      return reject(new ProtocolError('unavailable', 'too many requests are waiting'))
    }
    const waiter: Waiter = new Waiter(start, reject, signal, () => {
      cancel()
      const index = this.#waiters.indexOf(waiter)
      if (index >= 0) this.#waiters.splice(index, 1)
    })
    const cancel = this.#clock.schedule(deadlineMs - this.#clock.monotonic(), () =>
      waiter.fail(new ProtocolError('unavailable', 'the peer takes no more requests'))
    )
    this.#waiters.push(waiter)
  }

  #wake(): void {
    while (this.#mayAsk) {
      const waiter = this.#waiters.shift()
      if (waiter === undefined) return
      waiter.proceed()
    }
  }

  #takeId(): number {
    while (this.#exchanges.has(this.#nextId)) this.#advanceId()
    const id = this.#nextId
    this.#advanceId()
    return id
  }

  #advanceId(): void {
    this.#nextId = this.#nextId >= 0xffffffff ? 1 : this.#nextId + 1
  }

  #onFrame(frame: Frame): void {
    this.#receivedFrames += 1
    const exchange = this.#exchanges.get(frame.id)
    switch (frame.kind) {
      case frames.FrameKind.RESPONSE:
      case frames.FrameKind.ITEM:
      case frames.FrameKind.END:
        // Answers to what was given up meanwhile are late, not wrong.
        exchange?.onFrame(frame)
        return
      default:
        throw new ProtocolError('malformed', 'not a frame of the answering side')
    }
  }

  #finish(id: number): void {
    this.#exchanges.delete(id)
    this.#lastActiveMs = this.#clock.monotonic()
    if (this.#waiters.length > 0) this.#wake()
  }

  #expire(exchange: ClientExchange): void {
    exchange.fail(new ProtocolError('timeout', 'no answer in time'))
    if (this.isOpen) this.#probe()
  }

  /**
   * Asks for nothing, which every version answers with `unknown-protocol`. A peer that stays silent is gone, and
   * so is the stream: nobody else would tell a subscriber. A ping of libp2p's would open a stream, which costs
   * the other side fifty times as much.
   */
  #probe(): void {
    if (this.#isProbing) return
    this.#isProbing = true
    const id = this.#takeId()
    const deadlineMs = this.#clock.monotonic() + PROBE_TIMEOUT_MS
    const receivedBefore = this.#receivedFrames
    const settle = () => {
      this.#isProbing = false
      this.#exchanges.delete(id)
    }
    const fail = () => {
      settle()
      if (this.#receivedFrames > receivedBefore) return
      this.#channel.abort(new ProtocolError('timeout', 'the peer is silent'))
    }
    const onFrame = () => {
      settle()
      // Not traffic: a peer that sends nothing else is asked again in a minute.
      this.#receivedFrames = receivedBefore
    }
    this.#exchanges.set(id, { id, deadlineMs, onFrame, fail })
    this.#deadlines.watch(deadlineMs)
    this.#channel.write({ kind: KIND.request, id })
  }

  #watch(delayMs: number): void {
    const receivedBefore = this.#receivedFrames
    this.#cancelWatch = this.#clock.schedule(delayMs, () => {
      if (this.#exchanges.size > 0) {
        if (this.#receivedFrames === receivedBefore) this.#probe()
        this.#watch(OPENER_IDLE_MS)
        return
      }
      const idleMs = this.#clock.monotonic() - this.#lastActiveMs
      if (idleMs < OPENER_IDLE_MS) this.#watch(OPENER_IDLE_MS - idleMs)
      else this.close()
    })
  }

  #ended(error: Error | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#cancelWatch?.()
    this.#deadlines.close()
    this.#onEnd()
    const lost = lostError(error)
    for (const exchange of [...this.#exchanges.values()]) exchange.fail(lost)
    for (const waiter of this.#waiters.splice(0)) waiter.fail(lost)
  }
}

function encodeWithin<Message>(
  protocol: { readonly id: string; readonly request: { encode(message: Message): Uint8Array } },
  message: Message,
  bytesMax: number
): Uint8Array {
  const body = protocol.request.encode(message)
  if (body.byteLength > Math.min(bytesMax, BODY_BYTES_MAX)) {
    throw new ProtocolError('too-large', `${protocol.id} takes at most ${bytesMax} bytes`)
  }
  return body
}
