// libp2p as its documentation sets it up, without our kernel: what the tests of its faults compare with.
import type { Connection, ConnectionEncrypter, Libp2p, Stream } from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export const PROTOCOL = '/kith/test/raw/1.0.0'

/** What Yamux's streams have beyond the interface; the faults are in there. */
export interface YamuxStream extends Stream {
  sendFrame(header: { type: number; flag: number }, body?: unknown): boolean
  sendPause(): void
  sendResume(): void
  sendWindowUpdate(): void
}

export function createRaw(
  options: {
    listen?: boolean
    yamux?: YamuxMuxerInit
    encrypter?: (components: NoiseComponents) => ConnectionEncrypter
  } = {}
): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: options.listen === false ? [] : ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [options.encrypter ?? noise()],
    streamMuxers: [yamux(options.yamux)],
    connectionMonitor: { enabled: false }
  })
}

export interface RawPair {
  readonly near: YamuxStream
  readonly far: YamuxStream
  readonly connection: Connection
  stop(): Promise<void>
}

/** One stream between two nodes; `near` opened it. */
export async function createRawPair(options: { yamux?: YamuxMuxerInit } = {}): Promise<RawPair> {
  const [a, b] = await Promise.all([createRaw({ ...options, listen: false }), createRaw(options)])
  const { promise: accepted, resolve } = Promise.withResolvers<Stream>()
  await b.handle(PROTOCOL, (stream) => resolve(stream))
  const connection = await a.dial(b.getMultiaddrs())
  const near = await connection.newStream(PROTOCOL)
  const far = await accepted
  return {
    near: near as YamuxStream,
    far: far as YamuxStream,
    connection,
    async stop() {
      await Promise.all([a.stop(), b.stop()])
    }
  }
}

/** Waits for what other code, not time, brings about. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it did not come about')
}
