// A device's or relay's place in the network: its identity, its Rpc and its connections. libp2p.ts and
// testing/memory-network.ts implement it.
import type { DeviceId } from '@kith/protocols'
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

export interface Network {
  readonly id: DeviceId
  /** 32 bytes, Ed25519 */
  readonly publicKey: Uint8Array
  readonly rpc: Rpc
  /** Multiaddrs that it listens on, each with `/p2p/<id>`. */
  addresses(): string[]
  /** Calls back on every change until the returned function is called. */
  onConnection(listener: (change: ConnectionChange) => void): () => void
  /** Loses every stream and connection; takes at most STOP_TIMEOUT_MS. */
  stop(): Promise<void>
}

export interface NetworkInit {
  /** 32 bytes, Ed25519 seed */
  readonly privateKey: Uint8Array
  /** Multiaddrs to listen on; none for a device that only dials. */
  readonly listen: readonly string[]
  readonly profile: NetworkProfile
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}
