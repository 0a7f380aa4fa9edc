// Worker: two plain libp2p nodes, one that sends and one that receives.
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { BODY_BYTES } from '../body.ts'
import { drive, type Load } from '../measure/load.ts'
import { createPlainNode, ECHO, onMessages, RECEIVE, SEND } from './plain-node.ts'
import { serveCommands } from './serve.ts'

const body = new Uint8Array(BODY_BYTES).fill(120)
const echoed: (() => void)[] = []
const received: (() => void)[] = []
let echo: Stream
let send: Stream

/** Sends one message; resolves when the queue's turn comes: a stream keeps the order. */
function exchange(stream: Stream, queue: (() => void)[]): Promise<void> {
  return new Promise((resolve) => {
    queue.push(resolve)
    stream.send(body)
  })
}

serveCommands({
  async open({ addresses }: { addresses: readonly string[] }) {
    const server = addresses.map((address) => multiaddr(address))
    const [sender, receiver] = await Promise.all([createPlainNode([]), createPlainNode([])])
    const receive = await receiver.dialProtocol(server, RECEIVE)
    onMessages(receive, () => received.shift()?.())
    receive.send(body)
    send = await sender.dialProtocol(server, SEND)
    echo = await sender.dialProtocol(server, ECHO)
    onMessages(echo, () => echoed.shift()?.())
  },
  echo: (load: Load) => drive(load, () => exchange(echo, echoed)),
  forward: (load: Load) => drive(load, () => exchange(send, received))
})
