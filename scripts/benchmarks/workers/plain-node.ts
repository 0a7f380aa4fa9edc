// js-libp2p with nothing of ours: TCP, Noise, Yamux, and messages of one fixed size on a stream that stays
// open, one `send` each. The fixed size spares it any framing: it is the least a libp2p program can spend.
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { BODY_BYTES } from '../body.ts'

/** Each message comes back. */
export const ECHO = '/bench/echo/1.0.0'
/** Messages for the peer that opened RECEIVE. */
export const SEND = '/bench/send/1.0.0'
/** Opened with one message; then carries what others SEND. */
export const RECEIVE = '/bench/receive/1.0.0'

export function createPlainNode(listen: readonly string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // Its ping opens a stream every 10 s, which is no part of the work compared.
    connectionMonitor: { enabled: false }
  })
}

/** Calls back with each message of BODY_BYTES that arrives on the stream. */
export function onMessages(stream: Stream, listener: (message: Uint8Array) => void): void {
  const arrived = new Uint8ArrayList()
  stream.addEventListener('message', ({ data }) => {
    arrived.append(data)
    while (arrived.byteLength >= BODY_BYTES) {
      listener(arrived.slice(0, BODY_BYTES))
      arrived.consume(BODY_BYTES)
    }
  })
}
