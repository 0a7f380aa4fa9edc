// What both ends of the rpc benchmark share: a network, and a request that is answered with itself.
import {
  createMetrics,
  type Network,
  silentLog,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import { createNetwork } from '@kith/node/kernel/host'
import { type Codec, defineProtocol, KIB, SECOND_MS } from '@kith/protocols'

const bytes: Codec<Uint8Array> = { encode: (value) => value, decode: (value) => value }

export const exchange = defineProtocol<Uint8Array, Uint8Array>({
  id: '/bench/exchange/1.0.0',
  lane: 'bulk',
  request: bytes,
  response: bytes,
  limits: {
    requestBytes: KIB,
    responseBytes: KIB,
    timeoutMs: 30 * SECOND_MS,
    // The benchmark measures the runner, not its limit.
    perPeer: { count: 1_000_000, windowMs: SECOND_MS }
  }
})

/** A network with a new key. */
export function createBenchNetwork(listen: readonly string[]): Promise<Network> {
  return createNetwork({
    privateKey: systemRandom.bytes(32),
    listen: [...listen],
    profile: listen.length > 0 ? 'relay' : 'node',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics()
  })
}
