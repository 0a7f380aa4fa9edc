// One exchange that a handler is running, as the handler sees it.
import type { Caller, DeviceId, ProtocolError } from '@kith/protocols'
import type { Frame } from '../frame-codec.ts'

/** Who is on the other side, as the handshake proved. */
export interface Remote {
  readonly device: DeviceId
  readonly publicKey: Uint8Array
  /** The IPv4 address or IPv6 /64 it comes from; undefined in memory and from the machine itself. */
  readonly host?: string | undefined
}

/** The publisher of a subscription, as far as frames and endings concern it. */
export interface ExchangePublisher {
  onCredit(frame: Frame): void
  end(reason: ProtocolError): void
}

/** One running exchange, and the caller its handler sees. The signal exists only if somebody looks at it. */
export class ServerExchange implements Caller {
  readonly id: number
  deadlineMs: number
  readonly #remote: Remote
  publisher: ExchangePublisher | undefined
  isOver = false
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor(id: number, deadlineMs: number, remote: Remote) {
    this.id = id
    this.deadlineMs = deadlineMs
    this.#remote = remote
  }

  get device(): DeviceId {
    return this.#remote.device
  }

  get publicKey(): Uint8Array {
    return this.#remote.publicKey
  }

  get host(): string | undefined {
    return this.#remote.host
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Nothing more is sent for it. */
  cancel(reason: ProtocolError): void {
    if (this.isOver) return
    this.isOver = true
    this.deadlineMs = Number.POSITIVE_INFINITY
    this.#reason = reason
    this.#controller?.abort(reason)
    this.publisher?.end(reason)
  }
}
