// What libp2p leaves unbounded, bounded: asks Admission about each inbound connection before anything is spent
// on it, limits what its layers hold for a peer, and ends connections that flood below our own streams.
import { MIB } from '@kith/protocols'
import type {
  ConnectionEncrypter,
  MultiaddrConnection,
  StreamMuxerFactory,
  Transport,
  Upgrader
} from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import type { Admission, PendingConnection } from './admission.ts'
import type { Clock } from './clock.ts'
import { watchNegotiation, watchStreams } from './libp2p-negotiation.ts'
import { endWhenAborted } from './libp2p-websocket.ts'
import { TokenBucket } from './rate-limit.ts'
import { type RemoteHost, remoteHostOf } from './remote-host.ts'

/** Held of a handshake that nobody reads yet; a message of it has at most 64 KiB. */
const EARLY_BYTES_MAX = MIB
/**
 * New streams and pings of one peer. Ours opens two lanes and pings every 45 s; a burst is a node that lost
 * several streams at once.
 */
const CONTROL_FRAMES = { count: 100, windowMs: 10_000 }
/** Yamux header: version, type, flags (2 bytes), stream (4), length (4); big-endian. */
const HEADER_BYTES = 12
const TYPE_AT = 1
const FLAGS_AT = 3
const LENGTH_AT = 8
const TYPE_DATA = 0
const FLAG_SYN = 1

export interface GuardInit {
  readonly admission: Admission
  readonly clock: Clock
  /** Bytes that a stream's sender may be ahead; no frame of a peer that keeps to it is larger. */
  readonly windowBytes: number
  /** Bytes held for a peer that does not read, below the streams' own queues. */
  readonly writeBufferBytes: number
}

type Factory<Components, Made> = (components: Components) => Made

export class Guard {
  readonly #init: GuardInit
  /** By raw connection and by the encrypted one over it. */
  readonly #pending = new WeakMap<object, PendingConnection>()

  /** Raw and encrypted connections whose ends have agreed on what comes next. */
  readonly #negotiated = new WeakSet<object>()

  constructor(init: GuardInit) {
    this.#init = init
  }

  /** A transport whose inbound connections pass Admission. */
  transport<Components>(create: Factory<Components, Transport>): Factory<Components, Transport> {
    return (components) => {
      const transport = create(components)
      const { createListener } = transport
      transport.createListener = (options) =>
        createListener.call(transport, { ...options, upgrader: this.#upgrader(options.upgrader) })
      return transport
    }
  }

  /** An encrypter that begins no handshake that Admission refuses. */
  encrypter<Components>(
    create: Factory<Components, ConnectionEncrypter>
  ): Factory<Components, ConnectionEncrypter> {
    return (components) => {
      const encrypter = create(components)
      const { secureInbound, secureOutbound } = encrypter
      encrypter.secureInbound = async (connection, options) => {
        this.#negotiated.add(connection)
        const pending = this.#pending.get(connection)
        if (pending !== undefined && !this.#init.admission.mayHandshake(pending)) {
          throw new Error('too many handshakes')
        }
        const secured = this.#bounded(await secureInbound.call(encrypter, connection, options))
        const { connection: encrypted } = secured
        if (pending !== undefined) this.#pending.set(encrypted, pending)
        watchNegotiation(encrypted, () => this.#negotiated.has(encrypted))
        return secured
      }
      encrypter.secureOutbound = async (connection, options) =>
        this.#bounded(await secureOutbound.call(encrypter, connection, options))
      return encrypter
    }
  }

  /** A muxer that believes no length beyond the window, and ends the connection of a peer that floods. */
  muxer<Components>(
    create: Factory<Components, StreamMuxerFactory>
  ): Factory<Components, StreamMuxerFactory> {
    return (components) => {
      const factory = create(components)
      const { createStreamMuxer } = factory
      factory.createStreamMuxer = (stream) => {
        this.#negotiated.add(stream)
        const muxer = createStreamMuxer.call(factory, stream)
        watchStreams(muxer)
        this.#watchFrames(muxer, this.#pending.get(stream)?.remote)
        return muxer
      }
      return factory
    }
  }

  #upgrader(upgrader: Upgrader): Upgrader {
    const { admission } = this.#init
    const guarding: Upgrader = Object.create(upgrader)
    guarding.upgradeInbound = async (connection, options) => {
      endWhenAborted(connection)
      const pending = admission.begin(hostOf(connection), (reason) => connection.abort(reason))
      if (pending === undefined) {
        const refusal = new Error('too many connections')
        connection.abort(refusal)
        throw refusal
      }
      this.#pending.set(connection, pending)
      if (connection instanceof AbstractMessageStream) {
        connection.maxReadBufferLength = EARLY_BYTES_MAX
      }
      watchNegotiation(connection, () => this.#negotiated.has(connection))
      try {
        await upgrader.upgradeInbound(connection, options)
      } finally {
        admission.end(pending)
      }
    }
    return guarding
  }

  /** The library lets answers to pings and refused streams pile up without end for a peer that reads nothing. */
  #bounded<Secured extends { connection: object }>(secured: Secured): Secured {
    const { connection } = secured
    if (connection instanceof AbstractMessageStream) {
      connection.maxWriteBufferLength = this.#init.writeBufferBytes
    }
    return secured
  }

  #watchFrames(muxer: object, remote: RemoteHost | undefined): void {
    const decoder = 'decoder' in muxer ? (muxer.decoder as Partial<FrameDecoder>) : undefined
    const { buffer, readFrame } = decoder ?? {}
    if (decoder === undefined || buffer === undefined || readFrame === undefined) return
    const { admission, clock, windowBytes } = this.#init
    const bucket = new TokenBucket(CONTROL_FRAMES, clock.monotonic())
    const refuse = (reason: string): never => {
      if (remote !== undefined) admission.penalise(remote)
      throw new Error(reason)
    }
    let isChecked = false
    decoder.readFrame = () => {
      if (!isChecked && buffer.byteLength >= HEADER_BYTES) {
        isChecked = true
        const isData = buffer.get(TYPE_AT) === TYPE_DATA
        if (isData && lengthIn(buffer) > windowBytes) refuse('a frame beyond the window')
        const isOpening = ((buffer.get(FLAGS_AT) ?? 0) & FLAG_SYN) !== 0
        if (isOpening && bucket.take(clock.monotonic()) > 0) refuse('too many new streams')
      }
      const frame = readFrame.call(decoder)
      if (frame !== undefined) isChecked = false
      return frame
    }
  }
}

/** What the muxer's reader of frames looks like inside; a test notices when it changes. */
interface FrameDecoder {
  readonly buffer: { readonly byteLength: number; get(index: number): number }
  readFrame(): object | undefined
}

function lengthIn(buffer: FrameDecoder['buffer']): number {
  let length = 0
  for (let at = LENGTH_AT; at < HEADER_BYTES; at += 1) length = length * 256 + buffer.get(at)
  return length
}

function hostOf({ remoteAddr }: MultiaddrConnection): RemoteHost {
  return remoteHostOf(remoteAddr.toString())
}
