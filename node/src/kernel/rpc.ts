// The one runner of all protocols: serves and calls whatever is declared with the contract kit, over the two
// lanes of a peer. See protocols/src/frame/README.md for what travels.
import type { Handler, Protocol, SubscriptionHandler, SubscriptionProtocol } from '@kith/protocols'
import { errorCodeOf } from '@kith/protocols'
import type { Clock } from './clock.ts'
import { afterReadyInput } from './defer.ts'
import type { Log } from './log.ts'
import { type Counter, type Histogram, LATENCY_BUCKETS, type Metrics } from './metrics.ts'
import { RateLimiter } from './rate-limit.ts'
import { BODY_BYTES_MAX, ITEM_OVERHEAD_BYTES } from './rpc/limits.ts'
import { ServerLane } from './rpc/server.ts'
import type { Service } from './rpc/service.ts'
import type { Subscription } from './rpc/subscription.ts'
import { type PeerAddress, Streams, type Transport } from './streams.ts'

export type { Subscription } from './rpc/subscription.ts'
export type { PeerAddress } from './streams.ts'

export interface Rpc {
  /**
   * Answers requests of a protocol until the returned function is called. A ProtocolError of the handler
   * travels to the caller; anything else is logged and travels as `internal`. Throws when it is served already.
   */
  serve<Request, Response>(
    protocol: Protocol<Request, Response>,
    handler: Handler<Protocol<Request, Response>>
  ): () => void
  /** The same for subscriptions: the exchange ends when the handler's promise settles. */
  serveSubscription<Request, Item, Acknowledgement>(
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    handler: SubscriptionHandler<SubscriptionProtocol<Request, Item, Acknowledgement>>
  ): () => void
  /**
   * Asks a peer. Rejects with ProtocolError: what the peer answered; `unreachable` when there is no connection
   * or it was lost (what the peer did is then unknown); `timeout` after the protocol's time-out (unknown as
   * well); `unavailable` when the peer takes no more requests for that long; or with the reason of the signal.
   */
  request<Request, Response>(
    peer: PeerAddress,
    protocol: Protocol<Request, Response>,
    message: Request,
    options?: { readonly signal?: AbortSignal | undefined }
  ): Promise<Response>
  /** Resolves once the subscription is sent; a refusal comes out of the iteration. Rejects like `request`. */
  subscribe<Request, Item, Acknowledgement>(
    peer: PeerAddress,
    protocol: SubscriptionProtocol<Request, Item, Acknowledgement>,
    message: Request,
    options: { readonly signal: AbortSignal }
  ): Promise<Subscription<Item, Acknowledgement>>
}

export interface RpcInit {
  readonly transport: Transport
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Where frames of one tick are joined; by default after all input that is ready. */
  readonly defer?: (callback: () => void) => void
}

/** An Rpc with its end: `stop` loses every stream of both directions. */
export function createRpc(init: RpcInit): Rpc & { stop(): void } {
  const { transport, clock, log, metrics, defer = afterReadyInput } = init
  const services = new Map<string, Service>()
  const lanes = new Set<ServerLane>()
  const limiter = new RateLimiter()
  const streams = new Streams({ transport, clock, defer })
  const accepted = metrics.gauge('kith_rpc_accepted_streams', 'Streams that peers opened to us')
  const answered = answeredMetrics(metrics)

  transport.accept((stream, remote) => {
    const lane = new ServerLane(stream, remote, {
      clock,
      defer,
      log,
      limiter,
      services,
      onAnswered: (service, status, startedAtMs) =>
        answered(service, status, (clock.monotonic() - startedAtMs) / 1_000),
      onEnd: () => {
        lanes.delete(lane)
        accepted.set(lanes.size)
      }
    })
    lanes.add(lane)
    accepted.set(lanes.size)
  })

  function register(service: Service): () => void {
    const { id, limits } = service.protocol
    for (const [name, value] of Object.entries(limits)) {
      if (name.endsWith('Bytes') && name !== 'creditBytes' && Number(value) > BODY_BYTES_MAX) {
        throw new Error(`${name} of ${id} is more than a frame holds`)
      }
    }
    if (services.has(id)) throw new Error(`${id} is served already`)
    services.set(id, service)
    return () => {
      if (services.get(id) === service) services.delete(id)
    }
  }

  return {
    serve: (protocol, handler) => register({ kind: 'request', protocol, handler }),
    serveSubscription(protocol, handler) {
      const { creditBytes, itemBytes } = protocol.limits
      if (creditBytes < itemBytes + ITEM_OVERHEAD_BYTES) {
        throw new Error(`${protocol.id} never has credit for its largest item`)
      }
      return register({ kind: 'subscription', protocol, handler })
    },
    request(peer, protocol, message, options) {
      const open = streams.get(peer.id, protocol.lane)
      if (open !== undefined) return open.request(protocol, message, options?.signal)
      return streams
        .obtain(peer, protocol.lane, options?.signal)
        .then((lane) => lane.request(protocol, message, options?.signal))
    },
    async subscribe(peer, protocol, message, { signal }) {
      const lane = await streams.obtain(peer, protocol.lane, signal)
      signal.throwIfAborted()
      return lane.subscribe(protocol, message, signal)
    },
    stop() {
      streams.stop()
      for (const lane of [...lanes]) lane.close()
    }
  }
}

/** Instruments by service and status, looked up once. */
function answeredMetrics(
  metrics: Metrics
): (service: Service, status: number, seconds: number) => void {
  const known = new WeakMap<Service, { seconds: Histogram; byStatus: Map<number, Counter> }>()
  return (service, status, seconds) => {
    const method = service.protocol.id
    let instruments = known.get(service)
    if (instruments === undefined) {
      instruments = {
        seconds: metrics.histogram(
          'kith_rpc_answer_seconds',
          'From request to answer, or life of a subscription',
          LATENCY_BUCKETS,
          { method }
        ),
        byStatus: new Map()
      }
      known.set(service, instruments)
    }
    let counter = instruments.byStatus.get(status)
    if (counter === undefined) {
      const outcome = status === 0 ? 'ok' : errorCodeOf(status)
      counter = metrics.counter('kith_rpc_answers_total', 'Requests answered', { method, outcome })
      instruments.byStatus.set(status, counter)
    }
    counter.add()
    instruments.seconds.observe(seconds)
  }
}
