// Worker: one end of a plain libp2p echo that writes to a file and syncs it before it goes on.
import { type FileHandle, open } from 'node:fs/promises'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { BODY_BYTES } from '../body.ts'
import { PAUSE_MS, sharedNow } from '../measure/one-way.ts'
import { createPlainNode, ECHO, onMessages } from './plain-node.ts'
import { serveCommands } from './serve.ts'

let file: FileHandle
let stream: Stream
let echoed: () => void

async function store(message: Uint8Array, syncs: number): Promise<void> {
  for (let sync = 0; sync < syncs; sync++) {
    await file.write(message)
    await file.datasync()
  }
}

serveCommands({
  /** Echoes each message once it is on disk. */
  async serve({ path, syncs }: { path: string; syncs: number }) {
    file = await open(path, 'a')
    const node = await createPlainNode(['/ip4/127.0.0.1/tcp/0'])
    await node.handle(ECHO, (opened) =>
      onMessages(opened, (message) => void store(message, syncs).then(() => opened.send(message)))
    )
    return node.getMultiaddrs().map(String)
  },
  async open({ path, addresses }: { path: string; addresses: readonly string[] }) {
    file = await open(path, 'a')
    const node = await createPlainNode([])
    stream = await node.dialProtocol(
      addresses.map((address) => multiaddr(address)),
      ECHO
    )
    onMessages(stream, () => echoed())
  },
  /** Milliseconds from the beginning of each message until it has come back. */
  async echo({ count, syncs }: { count: number; syncs: number }) {
    const body = new Uint8Array(BODY_BYTES).fill(120)
    const latenciesMs: number[] = []
    for (let index = 0; index < count; index++) {
      const startedMs = sharedNow()
      const back = new Promise<void>((resolve) => {
        echoed = resolve
      })
      await store(body, syncs)
      stream.send(body)
      await back
      latenciesMs.push(sharedNow() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    return latenciesMs
  }
})
