// A device's or relay's place in the network: its identity, its Rpc and its connections. libp2p.ts and
// testing/memory-network.ts implement it.
import type { DeviceId } from '@kith/protocols'
import type { AdmissionLimits } from './admission.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Random } from './random.ts'
import type { Rpc } from './rpc.ts'

export type NetworkProfile = 'relay' | 'node'

export interface ConnectionChange {
  readonly peer: DeviceId
  /** True for the first connection to that peer, false for the loss of the last. */
  readonly connected: boolean
}

/** A device on the local network, by what it says of itself: nothing is proven before a connection. */
export interface Discovered {
  readonly peer: DeviceId
  /** Multiaddrs without `/p2p/<id>`. */
  readonly addresses: readonly string[]
}

export interface Network {
  readonly id: DeviceId
  /** 32 bytes, Ed25519 */
  readonly publicKey: Uint8Array
  readonly rpc: Rpc
  /** Multiaddrs that it listens on, each with `/p2p/<id>`. */
  addresses(): string[]
  /** Calls back on every change until the returned function is called. */
  onConnection(listener: (change: ConnectionChange) => void): () => void
  /** Calls back with devices seen on the local network, until the returned function is called. */
  onDiscovery(listener: (discovered: Discovered) => void): () => void
  /** Loses every connection to a peer and their streams; it may come back. Nothing if there is none. */
  disconnect(peer: DeviceId): void
  /** Loses every stream and connection; takes at most STOP_TIMEOUT_MS. */
  stop(): Promise<void>
}

export interface NetworkInit {
  /** 32 bytes, Ed25519 seed */
  readonly privateKey: Uint8Array
  /** Multiaddrs to listen on; none for a device that only dials. */
  readonly listen: readonly string[]
  readonly profile: NetworkProfile
  /** Announces this device on the local network by multicast DNS, and looks for others there. */
  readonly discovery?: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  /**
   * Whether a peer's connection must be kept when room is needed: on a relay, a device of an account hosted
   * there. Asked often. By default nobody is.
   */
  readonly isKnown?: ((peer: DeviceId) => boolean) | undefined
  /** In place of the profile's. */
  readonly admission?: Partial<AdmissionLimits> | undefined
}
