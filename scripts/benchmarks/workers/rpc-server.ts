// Worker: serves the benchmark's request through the kernel's runner.
import { createBenchNetwork, exchange } from './rpc-peer.ts'
import { serveCommands } from './serve.ts'

serveCommands({
  async open() {
    const network = await createBenchNetwork(['/ip4/127.0.0.1/tcp/0'])
    network.rpc.serve(exchange, async (request) => request)
    return { id: network.id, addresses: network.addresses() }
  }
})
