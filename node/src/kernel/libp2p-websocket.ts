// WebSocket listeners with the limits that libp2p 3.3 gives no setting for: silent sockets live for ever there, a
// message may have 100 MiB, an aborted connection stays open, and a malformed frame ends the process.
import { MIB, SECOND_MS } from '@kith/protocols'
import type { Listener, MultiaddrConnection, Transport } from '@libp2p/interface'
import type { Admission } from './admission.ts'
import type { Clock } from './clock.ts'
import { remoteHostOf } from './remote-host.ts'

/** From connecting to the end of the HTTP upgrade, TLS included. */
const UPGRADE_MS = 10 * SECOND_MS
/** Encrypted pieces joined into one message; ours have at most 128 KiB, other implementations' window is 256. */
const MESSAGE_BYTES_MAX = MIB

interface Socket {
  readonly remoteAddress?: string
  readonly remotePort?: number
  destroy(): void
  once(event: 'close', handler: () => void): void
}

interface WebSocketServed {
  on(event: 'error', handler: () => void): void
}

/** What a listener looks like inside; a test notices when it changes. */
interface WebSocketListener {
  readonly server: {
    maxConnections: number
    on(event: 'connection', handler: (socket: Socket) => void): void
  }
  readonly wsServer: { readonly options: { maxPayload: number } }
  onWsServerConnection(webSocket: WebSocketServed, request: { readonly socket: Socket }): void
}

interface BoundInit {
  readonly clock: Clock
  /** Asked about each socket before its upgrade, and again about the connection that it becomes. */
  readonly admission: Admission
  /** Sockets open at once, upgraded or not. */
  readonly socketsMax: number
}

/** The same transport, with bounded listeners. */
export function boundedWebSockets<Components>(
  create: (components: Components) => Transport,
  init: BoundInit
): (components: Components) => Transport {
  return (components) => {
    const transport = create(components)
    const { createListener } = transport
    transport.createListener = (options) => bound(createListener.call(transport, options), init)
    return transport
  }
}

function bound(listener: Listener, { clock, admission, socketsMax }: BoundInit): Listener {
  const inner = listener as Listener & Partial<WebSocketListener>
  const { server, wsServer, onWsServerConnection } = inner
  if (server === undefined || wsServer === undefined || onWsServerConnection === undefined) {
    return listener
  }
  server.maxConnections = socketsMax
  wsServer.options.maxPayload = MESSAGE_BYTES_MAX
  // By the remote end, which a socket and the TLS over it have in common.
  const waiting = new Map<string, () => void>()
  const forget = (remote: string) => {
    waiting.get(remote)?.()
    waiting.delete(remote)
  }
  server.on('connection', (socket) => {
    const remote = remoteOf(socket)
    const pending = admission.begin(hostOf(socket), () => socket.destroy())
    if (pending === undefined) return socket.destroy()
    const cancel = clock.schedule(UPGRADE_MS, () => socket.destroy())
    waiting.set(remote, () => {
      cancel()
      admission.end(pending)
    })
    socket.once('close', () => forget(remote))
  })
  inner.onWsServerConnection = (webSocket, request) => {
    forget(remoteOf(request.socket))
    // Nobody listens there, and a frame that breaks the protocol would end the process. `close` follows.
    webSocket.on('error', () => {})
    onWsServerConnection.call(inner, webSocket, request)
  }
  return listener
}

function hostOf({ remoteAddress = '' }: Socket) {
  return remoteHostOf(`/${remoteAddress.includes(':') ? 'ip6' : 'ip4'}/${remoteAddress}`)
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

interface WebSocketConnection {
  readonly websocket: { terminate(): void }
  sendReset(): void
}

/** An abort asks for a close code that the WebSocket API refuses: nothing would be closed. */
export function endWhenAborted(connection: MultiaddrConnection): void {
  const { websocket } = connection as MultiaddrConnection & Partial<WebSocketConnection>
  if (typeof websocket?.terminate !== 'function') return
  Object.assign(connection, { sendReset: () => websocket.terminate() })
}
