// The answering side of one stream: checks each request against its protocol's limits and rate, runs the
// handler, and reads no further while it owes too much.
import { decodeBounded, frame as frames, ProtocolError } from '@kith/protocols'
import type { ByteStream } from '../byte-stream.ts'
import type { Clock } from '../clock.ts'
import { type Frame, KIND } from '../frame-codec.ts'
import { FrameChannel } from '../framing.ts'
import type { Log } from '../log.ts'
import type { RateLimiter, TokenBucket } from '../rate-limit.ts'
import { Deadlines } from './deadlines.ts'
import {
  ACCEPTOR_IDLE_MS,
  EXCHANGE_BYTES_MAX,
  EXCHANGES_MAX,
  FIRST_REQUEST_MS,
  SUBSCRIPTIONS_MAX
} from './limits.ts'
import { ServerPublisher } from './publisher.ts'
import { type Remote, ServerExchange } from './server-exchange.ts'
import { type Any, encodeAnswer, run, type Service } from './service.ts'
import { refusalOf } from './status.ts'

export interface ServerLaneInit {
  readonly clock: Clock
  readonly defer: (callback: () => void) => void
  readonly log: Log
  readonly limiter: RateLimiter
  readonly services: ReadonlyMap<string, Service>
  readonly onAnswered: (service: Service, status: number, startedAtMs: number) => void
  readonly onEnd: () => void
}

export class ServerLane {
  readonly #remote: Remote
  readonly #init: ServerLaneInit
  readonly #channel: FrameChannel
  readonly #exchanges = new Map<number, ServerExchange>()
  readonly #deadlines: Deadlines<ServerExchange>
  readonly #buckets = new Map<Service, TokenBucket>()
  /** Publishers that found the write queue full, in the order in which they get room. */
  readonly #awaitingRoom = new Set<ServerPublisher<Any, Any, Any>>()
  #subscriptions = 0
  #heldBytes = 0
  #lastActiveMs: number
  #wasAsked = false
  #cancelIdle: (() => void) | undefined

  constructor(stream: ByteStream, remote: Remote, init: ServerLaneInit) {
    this.#remote = remote
    this.#init = init
    this.#lastActiveMs = init.clock.monotonic()
    this.#deadlines = new Deadlines(
      init.clock,
      () => this.#exchanges.values(),
      (exchange) => this.#expire(exchange)
    )
    this.#channel = new FrameChannel(
      stream,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onRoom: () => this.#onRoom(),
        onEnd: (error) => this.#ended(error)
      },
      init
    )
    this.#watchIdle(FIRST_REQUEST_MS)
  }

  /** Ends the stream; running handlers see their signal aborted. */
  close(): void {
    this.#channel.abort(new Error('stopping'))
  }

  #onFrame(frame: Frame): void {
    switch (frame.kind) {
      case frames.FrameKind.REQUEST:
      case frames.FrameKind.SUBSCRIBE:
        this.#start(frame)
        this.#adjustReading()
        return
      case frames.FrameKind.CREDIT:
        this.#onCredit(frame)
        return
      case frames.FrameKind.END:
        this.#exchanges.get(frame.id)?.cancel(new ProtocolError('unreachable', 'the peer gave up'))
        return
      default:
        throw new ProtocolError('malformed', 'not a frame of the asking side')
    }
  }

  #start(frame: Frame): void {
    if (this.#exchanges.has(frame.id)) {
      throw new ProtocolError('malformed', 'the number of an exchange that is running')
    }
    this.#wasAsked = true
    const startedAtMs = this.#init.clock.monotonic()
    const asked = frame.kind === frames.FrameKind.REQUEST ? 'request' : 'subscription'
    const answer = asked === 'request' ? KIND.response : KIND.end
    const service = this.#init.services.get(frame.method)
    if (service === undefined || service.kind !== asked) {
      const unknown = refusalOf(new ProtocolError('unknown-protocol', ''))
      this.#channel.write({ kind: answer, id: frame.id, ...unknown })
      return
    }
    try {
      const request = this.#admit(service, frame, startedAtMs)
      if (service.kind === 'request') this.#runRequest(service, frame, request, startedAtMs)
      else this.#runSubscription(service, frame, request, startedAtMs)
    } catch (error) {
      const refusal = refusalOf(error)
      this.#channel.write({ kind: answer, id: frame.id, ...refusal })
      this.#init.onAnswered(service, refusal.status ?? 0, startedAtMs)
    }
  }

  /** The decoded request; throws the ProtocolError to answer with. */
  #admit(service: Service, frame: Frame, nowMs: number): unknown {
    const { protocol } = service
    const waitMs = this.#bucketOf(service, nowMs).take(nowMs)
    if (waitMs > 0) {
      throw new ProtocolError('rate-limited', 'calls of this protocol', { retryAfterMs: waitMs })
    }
    if (service.kind === 'subscription' && this.#subscriptions >= SUBSCRIPTIONS_MAX) {
      throw new ProtocolError('unavailable', `more than ${SUBSCRIPTIONS_MAX} subscriptions`)
    }
    return decodeBounded(protocol.request, frame.body, protocol.limits.requestBytes)
  }

  #bucketOf(service: Service, nowMs: number): TokenBucket {
    let bucket = this.#buckets.get(service)
    if (bucket === undefined) {
      const { id, limits } = service.protocol
      bucket = this.#init.limiter.bucket(this.#remote.device, id, limits.perPeer, nowMs)
      this.#buckets.set(service, bucket)
    }
    return bucket
  }

  #runRequest(
    service: Service & { kind: 'request' },
    frame: Frame,
    request: unknown,
    startedAtMs: number
  ): void {
    const { protocol, handler } = service
    const heldBytes = frame.body.byteLength + protocol.limits.responseBytes
    const exchange = new ServerExchange(
      frame.id,
      startedAtMs + protocol.limits.timeoutMs,
      this.#remote
    )
    this.#exchanges.set(frame.id, exchange)
    this.#heldBytes += heldBytes
    this.#deadlines.watch(exchange.deadlineMs)
    const settle = (body: Uint8Array | undefined, error: unknown) => {
      this.#heldBytes -= heldBytes
      this.#finish(exchange)
      const refusal = error === undefined ? undefined : this.#refuse(service, error)
      if (!exchange.isOver) {
        this.#channel.write({ kind: KIND.response, id: exchange.id, body, ...refusal })
      }
      this.#init.onAnswered(service, refusal?.status ?? 0, startedAtMs)
    }
    run(() => handler(request, exchange)).then(
      (response) => {
        try {
          settle(encodeAnswer(protocol, response), undefined)
        } catch (error) {
          settle(undefined, error)
        }
      },
      (error: unknown) => settle(undefined, error ?? new Error('rejected without a reason'))
    )
  }

  #runSubscription(
    service: Service & { kind: 'subscription' },
    frame: Frame,
    request: unknown,
    startedAtMs: number
  ): void {
    const { protocol, handler } = service
    const exchange = new ServerExchange(frame.id, Number.POSITIVE_INFINITY, this.#remote)
    const publisher: ServerPublisher<Any, Any, Any> = new ServerPublisher(protocol, frame.credit, {
      id: frame.id,
      write: (item) => this.#channel.write(item),
      isFull: () => this.#channel.isFull,
      awaitRoom: () => void this.#awaitingRoom.add(publisher)
    })
    exchange.publisher = publisher
    this.#exchanges.set(frame.id, exchange)
    this.#subscriptions += 1
    const settle = (error: unknown) => {
      this.#subscriptions -= 1
      this.#finish(exchange)
      this.#awaitingRoom.delete(publisher)
      publisher.end(new ProtocolError('unreachable', 'the subscription ended'))
      // A handler that stops because the subscriber left is not a failure.
      const refusal =
        error === undefined || exchange.isOver ? undefined : this.#refuse(service, error)
      if (!exchange.isOver) this.#channel.write({ kind: KIND.end, id: exchange.id, ...refusal })
      this.#init.onAnswered(service, refusal?.status ?? 0, startedAtMs)
    }
    run(() => handler(request, publisher, exchange)).then(
      () => settle(undefined),
      (error: unknown) => settle(error ?? new Error('rejected without a reason'))
    )
  }

  #refuse(service: Service, error: unknown): ReturnType<typeof refusalOf> {
    if (!(error instanceof ProtocolError)) {
      const name = error instanceof Error ? error.name : typeof error
      const stack = error instanceof Error ? error.stack : undefined
      this.#init.log.error('handler failed', { method: service.protocol.id, name })
      this.#init.log.debug('handler failed', { method: service.protocol.id, stack })
    }
    return refusalOf(error)
  }

  #onCredit(frame: Frame): void {
    const exchange = this.#exchanges.get(frame.id)
    // Credit that crossed our end is late, not wrong.
    if (exchange?.publisher === undefined || exchange.isOver) return
    this.#lastActiveMs = this.#init.clock.monotonic()
    try {
      exchange.publisher.onCredit(frame)
    } catch (error) {
      this.#channel.write({ kind: KIND.end, id: frame.id, ...refusalOf(error) })
      exchange.cancel(new ProtocolError('unreachable', 'the subscriber broke the protocol'))
      if (!(error instanceof ProtocolError)) {
        this.#init.log.error('acknowledgement listener failed', { error: String(error) })
      }
    }
  }

  #expire(exchange: ServerExchange): void {
    const late = new ProtocolError('unavailable', 'not done in time')
    this.#channel.write({ kind: KIND.response, id: exchange.id, ...refusalOf(late) })
    // It stays counted until its handler returns: that is what bounds handlers that hang.
    exchange.cancel(late)
  }

  #finish(exchange: ServerExchange): void {
    this.#exchanges.delete(exchange.id)
    this.#lastActiveMs = this.#init.clock.monotonic()
    this.#adjustReading()
  }

  #onRoom(): void {
    for (const publisher of [...this.#awaitingRoom]) {
      this.#awaitingRoom.delete(publisher)
      publisher.advance()
    }
    this.#adjustReading()
  }

  #adjustReading(): void {
    const running = this.#exchanges.size - this.#subscriptions
    const isBusy =
      this.#channel.isFull ||
      running >= EXCHANGES_MAX ||
      (running > 0 && this.#heldBytes >= EXCHANGE_BYTES_MAX)
    if (isBusy) this.#channel.pause()
    else this.#channel.resume()
  }

  #watchIdle(delayMs: number): void {
    this.#cancelIdle = this.#init.clock.schedule(delayMs, () => {
      const idleMs = this.#init.clock.monotonic() - this.#lastActiveMs
      const allowedMs = this.#wasAsked ? ACCEPTOR_IDLE_MS : FIRST_REQUEST_MS
      if (this.#exchanges.size > 0) this.#watchIdle(ACCEPTOR_IDLE_MS)
      else if (idleMs < allowedMs) this.#watchIdle(allowedMs - idleMs)
      else this.#channel.abort(new ProtocolError('timeout', 'idle'))
    })
  }

  #ended(error: Error | undefined): void {
    this.#cancelIdle?.()
    this.#deadlines.close()
    this.#init.onEnd()
    const lost = new ProtocolError('unreachable', 'the connection was lost', { cause: error })
    for (const exchange of this.#exchanges.values()) exchange.cancel(lost)
  }
}
