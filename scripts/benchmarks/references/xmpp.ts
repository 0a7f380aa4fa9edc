// What the XMPP servers have in common: two clients on one server, and the messages between them.
import type { Load, LoadResult } from '../measure/load.ts'
import { type Program, startWorker } from '../processes.ts'

export interface XmppReference {
  /** The server's. */
  readonly pid: number
  /** A message is in flight until the other client has it. */
  forward(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}

/** Logs two clients in at a server that listens for TLS on a port; stops the server if that fails. */
export async function connectXmpp(server: Program, port: number): Promise<XmppReference> {
  const client = startWorker(new URL('../workers/xmpp-client.ts', import.meta.url))
  const stop = async () => {
    await client.stop()
    await server.stop()
  }
  try {
    await client.call('open', { port })
  } catch (cause) {
    await stop()
    throw cause
  }
  return { pid: server.pid, forward: (load) => client.call('forward', load), stop }
}
