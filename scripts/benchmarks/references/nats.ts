// Reference: NATS JetStream with one file stream and `sync_interval: always`, over TLS. A publish is
// acknowledged once it is on disk, which is what our relay promises for an append.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Load, LoadResult } from '../measure/load.ts'
import { freePort, startProgram, startWorker } from '../processes.ts'
import { createCertificate } from './certificate.ts'
import { unpackDebian } from './debian.ts'

export interface NatsReference {
  /** The server's. */
  readonly pid: number
  /** Publishes 200-byte messages, each waited for until acknowledged. */
  accept(load: Load): Promise<LoadResult>
  stop(): Promise<void>
}

/** @throws when the package, openssl or the network is missing */
export async function startNats(folder: string): Promise<NatsReference> {
  const root = await unpackDebian({ name: 'nats', suite: 'trixie', packages: ['nats-server'] })
  const home = join(folder, 'nats')
  await mkdir(home, { recursive: true })
  const { certificate, key } = await createCertificate(home)
  const port = await freePort()
  await writeFile(
    join(home, 'nats.conf'),
    `listen: "127.0.0.1:${port}"
tls { cert_file: "${certificate}", key_file: "${key}", handshake_first: true }
jetstream { store_dir: "${home}/store", sync_interval: always }
`
  )
  const server = await startProgram({
    command: join(root, 'usr/sbin/nats-server'),
    args: ['-c', join(home, 'nats.conf')],
    ready: /Server is ready/
  })
  const client = startWorker(new URL('../workers/nats-client.ts', import.meta.url))
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
  return { pid: server.pid, accept: (load) => client.call('accept', load), stop }
}
