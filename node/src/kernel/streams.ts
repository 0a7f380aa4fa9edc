// The streams this side opened: at most one per peer and lane, opened when first needed, shared by all
// requests, forgotten when closed or lost. Concurrent callers share one dial.
import { type Lane, ProtocolError, parseDeviceId } from '@kith/protocols'
import type { ByteStream } from './byte-stream.ts'
import type { Clock } from './clock.ts'
import { ClientLane } from './rpc/client.ts'
import { OPEN_TIMEOUT_MS, STREAMS_MAX } from './rpc/limits.ts'
import type { Remote } from './rpc/server-exchange.ts'

/** Whom to reach, and where. The id is enforced by the handshake, whatever the addresses lead to. */
export interface PeerAddress {
  /** PeerId of a device or relay. */
  readonly id: string
  /** Multiaddrs, with or without `/p2p/<id>`; none: only over a connection that exists. */
  readonly addresses: readonly string[]
}

/** What carries the streams: libp2p, or a network in memory. */
export interface Transport {
  /** Rejects when the peer cannot be reached or is not who it should be. */
  open(peer: PeerAddress, lane: Lane, signal: AbortSignal): Promise<ByteStream>
  /** Streams that others opened to us. Called once. */
  accept(listener: (stream: ByteStream, remote: Remote) => void): void
}

export interface StreamsInit {
  readonly transport: Pick<Transport, 'open'>
  readonly clock: Clock
  readonly defer: (callback: () => void) => void
}

export class Streams {
  readonly #init: StreamsInit
  readonly #open = new Map<string, ClientLane>()
  readonly #opening = new Map<string, Promise<ClientLane>>()
  readonly #stopped = new AbortController()

  constructor(init: StreamsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#open.size
  }

  /** The open stream, without waiting. */
  get(peer: string, lane: Lane): ClientLane | undefined {
    const found = this.#open.get(keyOf(peer, lane))
    return found?.isOpen ? found : undefined
  }

  /**
   * The open stream or a new one. Rejects with ProtocolError `unreachable`, or the reason of the signal: it
   * stops this caller's waiting, not the dial that others may share.
   */
  async obtain(peer: PeerAddress, lane: Lane, signal?: AbortSignal): Promise<ClientLane> {
    signal?.throwIfAborted()
    this.#stopped.signal.throwIfAborted()
    const found = this.get(peer.id, lane)
    if (found !== undefined) return found
    const key = keyOf(parseDeviceId(peer.id), lane)
    let opening = this.#opening.get(key)
    if (opening === undefined) {
      if (this.#open.size + this.#opening.size >= STREAMS_MAX) {
        throw new ProtocolError('unavailable', `more than ${STREAMS_MAX} streams`)
      }
      opening = this.#dial(peer, lane, key).finally(() => this.#opening.delete(key))
      this.#opening.set(key, opening)
    }
    return signal === undefined ? opening : abortable(opening, signal)
  }

  /** Closes all; pending exchanges fail with `unreachable`. */
  stop(): void {
    this.#stopped.abort(new ProtocolError('unreachable', 'the network was stopped'))
    for (const lane of [...this.#open.values()]) lane.close()
  }

  async #dial(peer: PeerAddress, lane: Lane, key: string): Promise<ClientLane> {
    const late = new AbortController()
    const cancel = this.#init.clock.schedule(OPEN_TIMEOUT_MS, () =>
      late.abort(new ProtocolError('unreachable', 'no connection in time'))
    )
    const signal = AbortSignal.any([late.signal, this.#stopped.signal])
    const opened = this.#init.transport.open(peer, lane, signal)
    try {
      const stream = await abortable(opened, signal)
      const client = new ClientLane(stream, {
        clock: this.#init.clock,
        defer: this.#init.defer,
        onEnd: () => {
          if (this.#open.get(key) === client) this.#open.delete(key)
        }
      })
      this.#open.set(key, client)
      return client
    } catch (error) {
      // One that comes after all is nobody's.
      opened.then(
        (stream) => stream.abort(new Error('too late')),
        () => {}
      )
      if (error instanceof ProtocolError) throw error
      throw new ProtocolError('unreachable', 'the peer cannot be reached', { cause: error })
    } finally {
      cancel()
    }
  }
}

function keyOf(peer: string, lane: Lane): string {
  return `${lane} ${peer}`
}

/** Settles like the promise, or rejects with the signal's reason if that comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
