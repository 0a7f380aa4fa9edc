// Serves a messenger on the local socket to other commands of the same user: newline-delimited JSON-RPC 2.0, every
// size, count and wait bounded. The holder of the store is the server, so there is at most one.
import { chmod, rename, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { pause } from '../clock.ts'
import type { CommandHost } from '../rpc/command-methods.ts'
import { createDispatcher } from '../rpc/dispatch.ts'
import { encodeLine, RPC_ERROR } from '../rpc/json-rpc.ts'
import { prepareFolder, type SocketPlace } from './path.node.ts'
import { type ServedClient, serveClient } from './served-client.node.ts'

/** More terminals than a person has; each costs a file descriptor and up to its queues. */
export const CLIENTS_MAX = 32
/** How long the end waits for requests that are being carried out; a send takes milliseconds. */
const CLOSE_WAIT_MS = 2_000

export interface SocketServer {
  /** Answers what is being carried out, tells every client, removes the socket file. */
  close(): Promise<void>
}

/**
 * Replaces a socket file left behind, which is only right while this process holds the store. Mode 0600. Rejects with
 * the system's error when the folder cannot be written.
 */
export async function serveSocket(options: {
  place: SocketPlace
  host: CommandHost
  clientsMax?: number
}): Promise<SocketServer> {
  const { place, host, clientsMax = CLIENTS_MAX } = options
  const { api, clock } = host
  const dispatcher = createDispatcher(host)
  const clients = new Set<ServedClient>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= clientsMax) return refuseClient(socket)
    const client = serveClient({ socket, api, dispatcher, clock })
    clients.add(client)
    void client.ended.then(() => clients.delete(client))
  })
  await prepareFolder(place)
  await rm(place.bindPath, { force: true })
  await listen(server, place.bindPath)
  await chmod(place.bindPath, 0o600)
  await rename(place.bindPath, place.path)
  return {
    async close() {
      server.close()
      await rm(place.path, { force: true })
      const waited = new AbortController()
      const all = Promise.all([...clients].map((client) => client.close()))
      await Promise.race([all, pause(clock, CLOSE_WAIT_MS, waited.signal)])
      waited.abort()
      for (const client of clients) client.destroy()
    }
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // An accept that fails (no file descriptor left) costs that client its connection and nobody else anything.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

function refuseClient(socket: Socket): void {
  socket.on('error', () => undefined)
  const message = 'Too many kith commands are connected.'
  const error = { code: RPC_ERROR.overloaded, message, data: { code: 'overloaded' } }
  socket.end(encodeLine({ jsonrpc: '2.0', id: null, error }))
  socket.destroySoon()
}
