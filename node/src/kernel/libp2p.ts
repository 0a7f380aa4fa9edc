// A Network over libp2p: its streams, its connections and what becomes of them.
import {
  type DeviceId,
  deviceIdOf,
  frame as frames,
  type Lane,
  parseDeviceId,
  publicKeyOf,
  SECOND_MS
} from '@kith/protocols'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, PeerId, PeerInfo, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { Admission } from './admission.ts'
import type { ByteStream } from './byte-stream.ts'
import { asError } from './framing.ts'
import { Guard } from './libp2p-guard.ts'
import { LIMITS } from './libp2p-limits.ts'
import { createNode } from './libp2p-node.ts'
import { Libp2pByteStream } from './libp2p-stream.ts'
import type { Log } from './log.ts'
import type { ConnectionChange, Discovered, Network, NetworkInit } from './network.ts'
import { remoteHostOf } from './remote-host.ts'
import type { Remote } from './rpc/server-exchange.ts'
import { createRpc } from './rpc.ts'
import type { PeerAddress, Transport } from './streams.ts'

/** Closing connections politely is worth a moment, not more: a process that stops is waited for by somebody. */
export const STOP_TIMEOUT_MS = 5 * SECOND_MS

/** One per lane; the others are closing ones of a peer that opened again. */
const LANE_STREAMS_MAX = 4
/** Both sides may dial at once; more is a network change that one side has not noticed, or an attack. */
const CONNECTIONS_PER_PEER_MAX = 4
/** A stream on a connection that is there takes two round trips; after this long the connection is taken for dead. */
const EXISTING_TIMEOUT_MS = 4 * SECOND_MS
/** Of one discovered device; an account log allows as many. */
const DISCOVERED_ADDRESSES_MAX = 8

/** Starts libp2p and everything over it. Rejects when an address cannot be listened on. */
export async function createNetwork(init: NetworkInit): Promise<Network> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', init.privateKey)
  const limits = LIMITS[init.profile]
  const { clock, metrics, isKnown = () => false } = init
  const admission = new Admission({
    limits: { ...limits.admission, ...init.admission },
    clock,
    metrics,
    isKnown
  })
  const guard = new Guard({ ...limits, admission, clock })
  const node = await createNode(init, privateKey, { guard, admission })
  const id = deviceIdOf(privateKey.publicKey.raw)
  const registrations: Promise<void>[] = []
  const rpc = createRpc({
    transport: transportOver(node, registrations, admission),
    clock: init.clock,
    log: init.log,
    metrics: init.metrics
  })
  tendConnections(node, init)
  admitConnections(node, admission)
  try {
    await Promise.all(registrations)
    await node.start()
  } catch (error) {
    rpc.stop()
    throw error
  }
  return {
    id,
    publicKey: privateKey.publicKey.raw,
    rpc,
    addresses: () => node.getMultiaddrs().map(String),
    onConnection: (listener) => onConnection(node, listener),
    disconnect(peer) {
      for (const connection of node.getConnections(peerIdFromString(peer))) {
        connection.abort(new Error('disconnected'))
      }
    },
    onDiscovery: (listener) => onDiscovery(node, listener),
    stop() {
      admission.stop()
      return stop(node, rpc, init.log)
    }
  }
}

function tendConnections(node: Libp2p, { metrics, log }: NetworkInit): void {
  const connections = metrics.gauge('kith_connections', 'Open connections to peers')
  const count = () => connections.set(node.getConnections().length)
  node.addEventListener('connection:close', count)
  node.addEventListener('connection:open', ({ detail }) => {
    count()
    const ofPeer = node.getConnections(detail.remotePeer)
    if (ofPeer.length <= CONNECTIONS_PER_PEER_MAX) return
    // The oldest: a peer that changed its network does not know that we still hold it.
    const oldest = ofPeer.reduce((a, b) => (a.timeline.open <= b.timeline.open ? a : b))
    oldest.abort(new Error('more connections than a peer needs'))
  })
  node.addEventListener('peer:disconnect', ({ detail }) => {
    // Addresses come from account logs and links; the library's own book of peers would only grow.
    node.peerStore.delete(detail).catch((error: unknown) => {
      log.debug('peer not forgotten', { error: String(error) })
    })
  })
}

function admitConnections(node: Libp2p, admission: Admission): void {
  node.addEventListener('connection:open', ({ detail: connection }) => {
    if (connection.direction !== 'inbound') return
    admission.opened(connection, {
      remote: remoteHostOf(connection.remoteAddr.toString()),
      peer: parseDeviceId(connection.remotePeer.toString()),
      abort: (reason) => connection.abort(reason)
    })
  })
  node.addEventListener('connection:close', ({ detail }) => admission.closed(detail))
}

function transportOver(
  node: Libp2p,
  registrations: Promise<void>[],
  admission: Admission
): Transport {
  return {
    open: (peer, lane, signal) => openStream(node, peer, lane, signal),
    accept(listener) {
      const onStream = (stream: Stream, connection: Connection) => {
        admission.used(connection)
        const { host, isOwnMachine } = remoteHostOf(connection.remoteAddr.toString())
        listener(new Libp2pByteStream(stream), {
          ...remoteOf(connection.remotePeer),
          host: isOwnMachine ? undefined : host
        })
      }
      const options = { maxInboundStreams: LANE_STREAMS_MAX, maxOutboundStreams: LANE_STREAMS_MAX }
      for (const protocol of Object.values(frames.LANE_PROTOCOL)) {
        registrations.push(node.handle(protocol, onStream, options))
      }
    }
  }
}

function remoteOf(peer: PeerId): Remote {
  const device = parseDeviceId(peer.toString())
  return { device, publicKey: publicKeyOf(device) }
}

async function openStream(
  node: Libp2p,
  peer: PeerAddress,
  lane: Lane,
  signal: AbortSignal
): Promise<ByteStream> {
  for (const connection of node.getConnections(peerIdFromString(peer.id))) {
    const stream = await openOnExisting(connection, lane, signal)
    if (stream !== undefined) return stream
  }
  return openOn(await node.dial(addressesOf(peer), { signal }), { peer, lane, signal })
}

/** Undefined when the connection turns out to be dead; it is lost then, so that the peer is dialled again. */
async function openOnExisting(
  connection: Connection,
  lane: Lane,
  signal: AbortSignal
): Promise<ByteStream | undefined> {
  if (connection.status !== 'open') return undefined
  const peer = { id: connection.remotePeer.toString() }
  const late = AbortSignal.timeout(EXISTING_TIMEOUT_MS)
  try {
    return await openOn(connection, { peer, lane, signal: AbortSignal.any([signal, late]) })
  } catch (error) {
    signal.throwIfAborted()
    if (!late.aborted && connection.status === 'open') throw error
    connection.abort(asError(error))
    return undefined
  }
}

async function openOn(
  connection: Connection,
  options: {
    readonly peer: { readonly id: string }
    readonly lane: Lane
    readonly signal: AbortSignal
  }
): Promise<ByteStream> {
  const { peer, lane, signal } = options
  // Noise proved it; this holds even if a future library lets an address speak for an identity.
  if (connection.remotePeer.toString() !== peer.id) throw new Error('another peer answered')
  const stream = await connection.newStream([frames.LANE_PROTOCOL[lane]], { signal })
  // A reset that came meanwhile is not told to listeners added now.
  if (stream.status !== 'open') throw new Error(`new stream was ${stream.status}`)
  return new Libp2pByteStream(stream)
}

/** Each address with the expected identity behind it, so that the handshake refuses any other. */
function addressesOf(peer: PeerAddress): Multiaddr[] {
  if (peer.addresses.length === 0) throw new Error('no address and no connection')
  const suffix = `/p2p/${peer.id}`
  return peer.addresses.map((address) =>
    multiaddr(address.endsWith(suffix) ? address : `${address}${suffix}`)
  )
}

function onConnection(node: Libp2p, listener: (change: ConnectionChange) => void): () => void {
  const on = ({ detail }: CustomEvent<PeerId>) =>
    listener({ peer: remoteOf(detail).device, connected: true })
  const off = ({ detail }: CustomEvent<PeerId>) =>
    listener({ peer: remoteOf(detail).device, connected: false })
  node.addEventListener('peer:connect', on)
  node.addEventListener('peer:disconnect', off)
  return () => {
    node.removeEventListener('peer:connect', on)
    node.removeEventListener('peer:disconnect', off)
  }
}

function onDiscovery(node: Libp2p, listener: (discovered: Discovered) => void): () => void {
  const on = ({ detail }: CustomEvent<PeerInfo>) => {
    const device = deviceOf(detail.id)
    if (device === undefined) return
    const addresses = detail.multiaddrs.slice(0, DISCOVERED_ADDRESSES_MAX).map(String)
    listener({
      peer: device,
      addresses: addresses.map((address) => address.split('/p2p/')[0] ?? '')
    })
    // Whoever cares has been told; the library's own book would grow with everything on the network.
    void node.peerStore.delete(detail.id).catch(() => undefined)
  }
  node.addEventListener('peer:discovery', on)
  return () => node.removeEventListener('peer:discovery', on)
}

/** Undefined for a PeerId of another kind of key: no device of ours. */
function deviceOf(peer: PeerId): DeviceId | undefined {
  try {
    return parseDeviceId(peer.toString())
  } catch {
    return undefined
  }
}

async function stop(node: Libp2p, rpc: { stop(): void }, log: Log): Promise<void> {
  rpc.stop()
  const { promise: late, resolve } = Promise.withResolvers<void>()
  // Not of the Clock: the library waits here on timers that do not keep the process alive, so this one must, or
  // a process with nothing else to do ends in the middle of its own shutdown.
  const timer = setTimeout(() => {
    log.warn('network did not stop in time')
    resolve()
  }, STOP_TIMEOUT_MS)
  try {
    await Promise.race([node.stop(), late])
  } finally {
    clearTimeout(timer)
  }
}
