// Networks in one process: the same Rpc over the same frames as libp2p.ts, without sockets or encryption, with
// switches for faults. Deterministic: the order of deliveries follows the order of sends.
import { type DeviceId, deviceIdOf, KIB } from '@kith/protocols'
import type { ByteStream } from '../kernel/byte-stream.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Log, silentLog } from '../kernel/log.ts'
import { type Metrics, noMetrics } from '../kernel/metrics.ts'
import type { ConnectionChange, Network } from '../kernel/network.ts'
import type { Remote } from '../kernel/rpc/server-exchange.ts'
import { createRpc, type Rpc } from '../kernel/rpc.ts'
import type { PeerAddress } from '../kernel/streams.ts'
import { MemoryStream } from './memory-stream.ts'

export interface MemoryNetworksOptions {
  readonly clock: Clock
  readonly log?: Log
  readonly metrics?: Metrics
  /** Longest piece in which bytes arrive; small ones find code that expects whole frames. */
  readonly chunkBytes?: number
  /** Bytes a sender may be ahead of a reader. */
  readonly windowBytes?: number
  /** One way; by the clock. */
  readonly latencyMs?: number
}

export interface MemoryNetworks {
  /** A new network; `publicKey` (32 bytes) is its identity. Addresses are `/memory/<number>`. */
  join(init: { readonly publicKey: Uint8Array }): Network
  /** Connections between the two are lost at once, on both sides, and none can be made. */
  cut(a: DeviceId, b: DeviceId): void
  /** Undoes `cut` and `hold`. */
  heal(a: DeviceId, b: DeviceId): void
  /** Nothing arrives between the two until `heal`; nobody is told. */
  hold(a: DeviceId, b: DeviceId): void
}

/** What connects two members. */
interface Link {
  readonly ends: readonly [DeviceId, DeviceId]
  isConnected: boolean
  isCut: boolean
  isHeld: boolean
  readonly streams: Set<MemoryStream>
}

const WINDOW_BYTES = 256 * KIB

/** All members know only this; none is real outside of it. */
class Switchboard implements MemoryNetworks {
  readonly #options: MemoryNetworksOptions
  readonly #members = new Map<string, MemoryNetwork>()
  readonly #links = new Map<string, Link>()
  #joined = 0

  constructor(options: MemoryNetworksOptions) {
    this.#options = options
  }

  join({ publicKey }: { readonly publicKey: Uint8Array }): Network {
    const id = deviceIdOf(publicKey)
    if (this.#members.has(id)) throw new Error(`${id} joined already`)
    this.#joined += 1
    const member = new MemoryNetwork({
      ...this.#options,
      remote: { device: id, publicKey },
      address: `/memory/${this.#joined}`,
      open: (peer) => this.#open(member, peer),
      disconnect: (peer) => this.#disconnect(this.#link(id, peer)),
      leave: () => this.#leave(id)
    })
    this.#members.set(id, member)
    return member
  }

  cut(a: DeviceId, b: DeviceId): void {
    const link = this.#link(a, b)
    link.isCut = true
    this.#disconnect(link)
  }

  heal(a: DeviceId, b: DeviceId): void {
    const link = this.#link(a, b)
    link.isCut = false
    link.isHeld = false
    for (const stream of link.streams) this.#wake(link, stream)
  }

  hold(a: DeviceId, b: DeviceId): void {
    this.#link(a, b).isHeld = true
  }

  #open(from: MemoryNetwork, to: PeerAddress): ByteStream {
    const target = this.#members.get(to.id)
    const link = this.#link(from.id, to.id as DeviceId)
    const isThere = to.addresses.some((address) => address.split('/p2p/')[0] === target?.address)
    if (target === undefined || link.isCut || !(isThere || link.isConnected)) {
      throw new Error('no connection')
    }
    this.#setConnected(link, true)
    const [near, far] = this.#createStreams(link)
    target.accept(far, from.remote)
    return near
  }

  #createStreams(link: Link): [MemoryStream, MemoryStream] {
    const { clock, windowBytes = WINDOW_BYTES, latencyMs = 0 } = this.#options
    const create = (): MemoryStream => {
      const stream: MemoryStream = new MemoryStream({
        windowBytes,
        chunkBytes: this.#options.chunkBytes ?? Number.MAX_SAFE_INTEGER,
        dueMs: () => clock.monotonic() + latencyMs,
        wake: (end) => this.#wake(link, end),
        onClosed: () => void link.streams.delete(stream)
      })
      link.streams.add(stream)
      return stream
    }
    const [near, far] = [create(), create()]
    near.peer = far
    far.peer = near
    return [near, far]
  }

  #wake(link: Link, stream: MemoryStream): void {
    const { clock, latencyMs = 0 } = this.#options
    const pump = () => {
      while (!link.isHeld && stream.deliver(clock.monotonic()));
    }
    if (latencyMs === 0) queueMicrotask(pump)
    else clock.schedule(latencyMs, pump)
  }

  #leave(id: DeviceId): void {
    this.#members.delete(id)
    for (const link of this.#links.values()) {
      if (link.ends.includes(id)) this.#disconnect(link)
    }
  }

  #disconnect(link: Link): void {
    for (const stream of [...link.streams]) stream.lose(new Error('connection lost'))
    this.#setConnected(link, false)
  }

  #setConnected(link: Link, connected: boolean): void {
    if (link.isConnected === connected) return
    link.isConnected = connected
    const [a, b] = link.ends
    this.#members.get(a)?.tell({ peer: b, connected })
    this.#members.get(b)?.tell({ peer: a, connected })
  }

  #link(a: DeviceId, b: DeviceId): Link {
    const ends: readonly [DeviceId, DeviceId] = a < b ? [a, b] : [b, a]
    const key = ends.join(' ')
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { ends, isConnected: false, isCut: false, isHeld: false, streams: new Set() }
      this.#links.set(key, link)
    }
    return link
  }
}

interface MemberInit extends MemoryNetworksOptions {
  readonly remote: Remote
  readonly address: string
  readonly open: (peer: PeerAddress) => ByteStream
  readonly disconnect: (peer: DeviceId) => void
  readonly leave: () => void
}

class MemoryNetwork implements Network {
  readonly #init: MemberInit
  readonly #listeners = new Set<(change: ConnectionChange) => void>()
  readonly rpc: Rpc & { stop(): void }
  #accept: (stream: ByteStream, remote: Remote) => void = () => {}

  constructor(init: MemberInit) {
    this.#init = init
    this.rpc = createRpc({
      transport: {
        open: async (peer) => init.open(peer),
        accept: (listener) => {
          this.#accept = listener
        }
      },
      clock: init.clock,
      log: init.log ?? silentLog,
      metrics: init.metrics ?? noMetrics,
      defer: queueMicrotask
    })
  }

  get id(): DeviceId {
    return this.#init.remote.device
  }

  get publicKey(): Uint8Array {
    return this.#init.remote.publicKey
  }

  get remote(): Remote {
    return this.#init.remote
  }

  get address(): string {
    return this.#init.address
  }

  addresses(): string[] {
    return [`${this.address}/p2p/${this.id}`]
  }

  /** Everybody is named by the test; nobody is found. */
  onDiscovery(): () => void {
    return () => undefined
  }

  onConnection(listener: (change: ConnectionChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  disconnect(peer: DeviceId): void {
    this.#init.disconnect(peer)
  }

  async stop(): Promise<void> {
    this.rpc.stop()
    this.#init.leave()
  }

  accept(stream: ByteStream, remote: Remote): void {
    this.#accept(stream, remote)
  }

  tell(change: ConnectionChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }
}

/** A world of networks that reach each other and nobody else. */
export function createMemoryNetworks(options: MemoryNetworksOptions): MemoryNetworks {
  return new Switchboard(options)
}
