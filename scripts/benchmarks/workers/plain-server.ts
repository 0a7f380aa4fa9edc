// Worker: a plain libp2p node that echoes, and forwards from one peer to another.
import type { Stream } from '@libp2p/interface'
import { createPlainNode, ECHO, onMessages, RECEIVE, SEND } from './plain-node.ts'
import { serveCommands } from './serve.ts'

let receiver: Stream | undefined

serveCommands({
  async open() {
    const node = await createPlainNode(['/ip4/127.0.0.1/tcp/0'])
    await node.handle(ECHO, (stream) => onMessages(stream, (message) => void stream.send(message)))
    await node.handle(RECEIVE, (stream) => {
      receiver = stream
    })
    await node.handle(SEND, (stream) =>
      onMessages(stream, (message) => void receiver?.send(message))
    )
    return { addresses: node.getMultiaddrs().map(String) }
  }
})
