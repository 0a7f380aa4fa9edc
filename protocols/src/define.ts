// The contract kit: a protocol is data (id, codecs, limits, rate), served and called by one runner.
import type { Reader } from 'protons-runtime'
import type { DeviceId } from './identifiers.ts'

/** A protons namespace fits as it is. Input from outside goes through `decodeBounded`, never `decode`. */
export interface Codec<T> {
  encode(value: T): Uint8Array
  /** Throws on anything malformed. */
  decode(bytes: Uint8Array): T
  /** The generated codec inside, which `decodeBounded` runs over its own reader. */
  codec?(): { decode(reader: Reader): T }
}

/** Which of the two long-lived streams of a peer carries it: short exchanges, or volume. */
export type Lane = 'control' | 'bulk'

/** At most `count` calls from one peer within `windowMs`. */
export interface Rate {
  readonly count: number
  readonly windowMs: number
}

export interface Protocol<Request, Response> {
  readonly kind: 'request'
  /** `/kith/<folder>/<verb>/<major>.<minor>.<patch>` */
  readonly id: string
  readonly lane: Lane
  readonly request: Codec<Request>
  readonly response: Codec<Response>
  readonly limits: {
    readonly requestBytes: number
    readonly responseBytes: number
    readonly timeoutMs: number
    readonly perPeer: Rate
  }
}

/** A stream of items under the subscriber's credit, with the subscriber's acknowledgements. */
export interface SubscriptionProtocol<Request, Item, Acknowledgement> {
  readonly kind: 'subscription'
  readonly id: string
  readonly lane: Lane
  readonly request: Codec<Request>
  readonly item: Codec<Item>
  readonly acknowledgement: Codec<Acknowledgement>
  readonly limits: {
    readonly requestBytes: number
    readonly itemBytes: number
    readonly acknowledgementBytes: number
    /** Bytes of items a subscriber allows in flight. */
    readonly creditBytes: number
    readonly perPeer: Rate
  }
}

export interface Caller {
  /** Authenticated by Noise. */
  readonly device: DeviceId
  /** 32 bytes, Ed25519 */
  readonly publicKey: Uint8Array
  /** The IPv4 address or IPv6 /64 it comes from; undefined where there is none. For rates, never for trust. */
  readonly host?: string | undefined
  /** Aborted when the exchange, the stream or the service ends. */
  readonly signal: AbortSignal
}

export type Handler<P> =
  P extends Protocol<infer Request, infer Response>
    ? (request: Request, caller: Caller) => Promise<Response>
    : never

/** What a publisher may do inside a subscription. */
export interface Publisher<Item, Acknowledgement> {
  /** Resolves once the subscriber's credit allowed the item to be sent. Rejects when the exchange ended. */
  push(item: Item): Promise<void>
  /** Called for each acknowledgement, in order. */
  onAcknowledgement(listener: (acknowledgement: Acknowledgement) => void): void
}

export type SubscriptionHandler<P> =
  P extends SubscriptionProtocol<infer Request, infer Item, infer Acknowledgement>
    ? (
        request: Request,
        publisher: Publisher<Item, Acknowledgement>,
        caller: Caller
      ) => Promise<void>
    : never

/** Declares a request protocol; the types follow from the codecs. */
export function defineProtocol<Request, Response>(
  protocol: Omit<Protocol<Request, Response>, 'kind'>
): Protocol<Request, Response> {
  return { kind: 'request', ...protocol }
}

/** Declares a subscription. */
export function defineSubscription<Request, Item, Acknowledgement>(
  protocol: Omit<SubscriptionProtocol<Request, Item, Acknowledgement>, 'kind'>
): SubscriptionProtocol<Request, Item, Acknowledgement> {
  return { kind: 'subscription', ...protocol }
}
