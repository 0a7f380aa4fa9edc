// The only caller of createLibp2p: transports, encryption, multiplexing and their limits.
import { SECOND_MS } from '@kith/protocols'
import { identify } from '@libp2p/identify'
import type { Ed25519PrivateKey, Libp2p } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Admission } from './admission.ts'
import type { Guard } from './libp2p-guard.ts'
import { LIMITS } from './libp2p-limits.ts'
import { silentLibp2pLogger } from './libp2p-log.ts'
import { cheapNoise } from './libp2p-noise.ts'
import { joiningWrites } from './libp2p-transport.ts'
import { boundedWebSockets } from './libp2p-websocket.ts'
import type { NetworkInit } from './network.ts'

/** Both lanes, identify and ping in both directions, with room for streams that are just closing. */
const STREAMS_PER_CONNECTION_MAX = 32
/** An address that does not answer must leave time for the next one within a stream's opening (10 s). */
const ADDRESS_DIAL_TIMEOUT_MS = 4 * SECOND_MS
/** A handshake takes 15 ms of CPU; on a machine that is swamped that can be seconds. Dials give up then too. */
const UPGRADE_TIMEOUT_MS = 10 * SECOND_MS
/** The library's own limits know no peers: Admission decides first, and these are never met. */
const NEVER_MET = 1_000_000

/** Our own service name: other libp2p programs on the network are none of our business, nor we of theirs. */
const DISCOVERY_TAG = '_kith._udp.local'

/** A libp2p node that is not started yet; `guard` watches what comes in. */
export function createNode(
  init: NetworkInit,
  privateKey: Ed25519PrivateKey,
  { guard, admission }: { guard: Guard; admission: Admission }
): Promise<Libp2p> {
  const limits = LIMITS[init.profile]
  const socketsMax = { ...limits.admission, ...init.admission }.connectionsMax
  return createLibp2p({
    start: false,
    privateKey,
    logger: silentLibp2pLogger,
    addresses: { listen: [...init.listen] },
    transports: [
      guard.transport(joiningWrites(tcp())),
      guard.transport(
        joiningWrites(boundedWebSockets(webSockets(), { clock: init.clock, admission, socketsMax }))
      )
    ],
    connectionEncrypters: [guard.encrypter(cheapNoise())],
    streamMuxers: [
      guard.muxer(
        yamux({
          maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
          maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
          keepAliveInterval: limits.keepAliveMs,
          streamOptions: {
            maxStreamWindowSize: limits.windowBytes,
            maxReadBufferLength: limits.readBufferBytes,
            maxWriteBufferLength: limits.writeBufferBytes
          }
        })
      )
    ],
    peerDiscovery: init.discovery === true ? [mdns({ serviceTag: DISCOVERY_TAG })] : [],
    connectionManager: {
      maxConnections: NEVER_MET,
      inboundConnectionThreshold: NEVER_MET,
      maxIncomingPendingConnections: NEVER_MET,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS
    },
    // Its ping opens a stream: 31 % of a core per 1,000 clients at its 10 s, 5 % at 60 s, paid by the relay
    // whichever side pings. Yamux keeps the connection alive, and rpc/client.ts asks silent peers.
    connectionMonitor: { enabled: false },
    connectionGater: {
      // The library's default refuses private addresses in browsers; ours come from account logs and links.
      denyDialMultiaddr: () => false,
      // Every identity of ours is an Ed25519 key; others could not be named by a DeviceId.
      denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519'
    },
    services: { identify: identify() }
  })
}
