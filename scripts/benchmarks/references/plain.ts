// Reference: js-libp2p alone doing the same, see workers/plain-node.ts.
import type { Load, LoadResult } from '../measure/load.ts'
import { startWorker, type WorkerProcess } from '../processes.ts'

export interface PlainReference {
  readonly server: WorkerProcess
  readonly client: WorkerProcess
  /** One peer sends to the server and back. */
  echo(load: Load): Promise<LoadResult>
  /** One peer sends to the server, which sends on to another peer. */
  forward(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}

export async function startPlain(): Promise<PlainReference> {
  const server = startWorker(new URL('../workers/plain-server.ts', import.meta.url))
  const client = startWorker(new URL('../workers/plain-client.ts', import.meta.url))
  await client.call('open', await server.call('open'))
  return {
    server,
    client,
    echo: (load) => client.call('echo', load),
    forward: (load) => client.call('forward', load),
    async stop() {
      await client.stop()
      await server.stop()
    }
  }
}
