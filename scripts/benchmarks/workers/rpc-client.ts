// Worker: makes the benchmark's requests through the kernel's runner.
import type { PeerAddress } from '@kith/node/kernel'
import { BODY_BYTES } from '../body.ts'
import { drive, type Load } from '../measure/load.ts'
import { createBenchNetwork, exchange } from './rpc-peer.ts'
import { serveCommands } from './serve.ts'

const body = new Uint8Array(BODY_BYTES).fill(120)
let request: () => Promise<Uint8Array>

serveCommands({
  async open(server: PeerAddress) {
    const network = await createBenchNetwork([])
    request = () => network.rpc.request(server, exchange, body)
  },
  request: (load: Load) => drive(load, request)
})
