// Protocols and networks for the tests of the kernel's network part.
import { defineProtocol, defineSubscription, KIB, MIB, SECOND_MS } from '@kith/protocols'
import { createNetwork } from '../../src/kernel/host/index.ts'
import {
  createMetrics,
  type Network,
  type PeerAddress,
  silentLog,
  systemClock,
  systemRandom
} from '../../src/kernel/index.ts'

/** Bytes as they are: a test decides what they mean. */
const bytesCodec = {
  encode: (value: Uint8Array) => value,
  decode: (value: Uint8Array) => value
}

export const PLENTY = { count: 1_000_000, windowMs: SECOND_MS }

export const echo = defineProtocol<Uint8Array, Uint8Array>({
  id: '/kith/test/echo/1.0.0',
  lane: 'control',
  request: bytesCodec,
  response: bytesCodec,
  limits: {
    requestBytes: 64 * KIB,
    responseBytes: 64 * KIB,
    timeoutMs: 5 * SECOND_MS,
    perPeer: PLENTY
  }
})

export const feed = defineSubscription<Uint8Array, Uint8Array, Uint8Array>({
  id: '/kith/test/feed/1.0.0',
  lane: 'bulk',
  request: bytesCodec,
  item: bytesCodec,
  acknowledgement: bytesCodec,
  limits: {
    requestBytes: KIB,
    itemBytes: 64 * KIB,
    acknowledgementBytes: KIB,
    creditBytes: MIB,
    perPeer: PLENTY
  }
})

let seed = 1

/** A libp2p network on loopback. */
export function startNetwork(
  options: { profile?: 'relay' | 'node'; seed?: number; listen?: string[] } = {}
): Promise<Network> {
  const privateKey = new Uint8Array(32).fill(options.seed ?? seed++)
  return createNetwork({
    privateKey,
    listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'],
    profile: options.profile ?? 'node',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics()
  })
}

export function addressOf(network: Network): PeerAddress {
  return { id: network.id, addresses: network.addresses() }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)
