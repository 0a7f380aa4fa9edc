// Frames over one byte stream: a reader that refuses a lying length before waiting for its body and can be
// stopped between two frames, and a writer that joins the frames of one tick into one send and holds a bounded
// queue. A peer that does not read costs its own stream, nothing else.
import { frame as frames, KIB, MIB, ProtocolError, SECOND_MS } from '@kith/protocols'
import type { ByteStream } from './byte-stream.ts'
import type { Clock } from './clock.ts'
import { decodeFrame, type Frame, FrameEncoder, type OutgoingFrame } from './frame-codec.ts'
import { FrameReader } from './frame-reader.ts'

/** What waits for a slow reader before whoever writes waits too: half a second at 16 Mbit/s. */
export const WRITE_QUEUE_BYTES_HIGH = MIB
/**
 * Beyond this the stream is aborted. Above the high mark only answers to exchanges already running may be
 * added, and those are bounded (EXCHANGE_BYTES_MAX in rpc/limits.ts); more is a fault of ours or an attack.
 */
export const WRITE_QUEUE_BYTES_MAX = 16 * MIB
/** A peer that takes no byte for this long while something waits for it is gone or hostile. */
export const STALL_MS = 30 * SECOND_MS
/**
 * A frame that is not complete after this long never will be: the largest one at 9 KiB/s, which a lane shared
 * with others still gets on the slowest mobile link.
 */
export const PARTIAL_FRAME_MS = 120 * SECOND_MS
/** One send: the largest Noise message. Larger ones would only hold up the other lane. */
const SEND_BYTES_MAX = 64 * KIB - 32
/** First allocation of a tick's frames when the last tick gives no hint; one control frame. */
const CHUNK_BYTES_MIN = 512

export interface FrameEvents {
  /** Frames in order. Throwing a ProtocolError aborts the stream. */
  onFrame(frame: Frame): void
  /** The write queue fell below its high mark. */
  onRoom(): void
  /** Once. Nothing follows. */
  onEnd(error: Error | undefined): void
}

export interface FrameChannelInit {
  readonly clock: Pick<Clock, 'schedule'>
  /** Runs once everything that is ready now has been handled. */
  readonly defer: (callback: () => void) => void
}

interface Chunk {
  bytes: Uint8Array
  filled: number
  sent: number
}

export class FrameChannel {
  readonly #stream: ByteStream
  readonly #init: FrameChannelInit
  readonly #events: FrameEvents
  readonly #reader: FrameReader
  readonly #chunks: Chunk[] = []
  #queuedBytes = 0
  #unreleasedBytes = 0
  #wasFull = false
  #chunkHint = CHUNK_BYTES_MIN
  #flushing = false
  #ended = false
  #closing = false
  #cancelStall: (() => void) | undefined
  #framesRead = 0
  /** Frames read when the one that is not complete was first seen. */
  #framesAtWatch = 0
  #cancelWatch: (() => void) | undefined

  constructor(stream: ByteStream, events: FrameEvents, init: FrameChannelInit) {
    this.#stream = stream
    this.#events = events
    this.#init = init
    this.#reader = new FrameReader(frames.FRAME_BYTES_MAX, (bytes) => {
      this.#framesRead += 1
      events.onFrame(decodeFrame(bytes))
    })
    stream.attach({
      onBytes: (bytes) => this.#read(bytes),
      onWritable: () => this.#flush(),
      onEnd: (error) => this.#lost(error ?? this.#reader.endError())
    })
  }

  /** True: whoever can wait, waits for `onRoom` before writing. */
  get isFull(): boolean {
    return this.#queuedBytes >= WRITE_QUEUE_BYTES_HIGH
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get isOpen(): boolean {
    return !this.#ended && !this.#closing
  }

  /** Queues one frame; it leaves at the end of this tick with all others. Does nothing once ended. */
  write(outgoing: OutgoingFrame): void {
    if (this.#ended || this.#closing) return
    const encoder = new FrameEncoder(outgoing)
    if (encoder.length > frames.FRAME_BYTES_MAX) {
      throw new ProtocolError('too-large', `frame of more than ${frames.FRAME_BYTES_MAX} bytes`)
    }
    const size = encoder.totalBytes
    if (this.#queuedBytes + size > WRITE_QUEUE_BYTES_MAX) {
      this.abort(new ProtocolError('unavailable', 'write queue overflow'))
      return
    }
    const chunk = this.#chunkFor(size)
    chunk.filled = encoder.writeTo(chunk.bytes, chunk.filled)
    this.#queuedBytes += size
    if (this.isFull) this.#wasFull = true
    if (this.#flushing) return
    this.#flushing = true
    this.#init.defer(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  /** Stops between two frames; what arrives from now on is held, which stops the sender at its window. */
  pause(): void {
    this.#reader.isPaused = true
  }

  resume(): void {
    if (!this.#reader.isPaused || this.#ended) return
    this.#reader.isPaused = false
    // What is late now is late because of us.
    this.#framesAtWatch = -1
    this.#read(undefined)
  }

  /** Sends what is queued, then ends our side. */
  close(): void {
    if (this.#ended || this.#closing) return
    this.#closing = true
    this.#flush()
  }

  /** For every protocol error: the other side must not keep half a stream. */
  abort(error: Error): void {
    if (this.#ended) return
    this.#stream.abort(error)
    this.#end(error)
  }

  #read(bytes: Uint8Array | undefined): void {
    if (this.#ended) return
    this.#unreleasedBytes += bytes?.byteLength ?? 0
    try {
      this.#reader.push(bytes)
    } catch (error) {
      this.abort(asError(error))
      return
    }
    if (this.#reader.heldBytes > 0) this.#watchPartial()
    // Part of a frame counts as used: its size is bounded, and the rest would never come if it were larger than
    // the window.
    const heldBytes = this.#reader.isPaused ? this.#reader.heldBytes : 0
    const releasable = this.#unreleasedBytes - heldBytes
    if (releasable <= 0 || this.#ended) return
    this.#unreleasedBytes -= releasable
    this.#stream.release(releasable)
  }

  #chunkFor(size: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.bytes.byteLength - last.filled >= size) return last
    const hint = this.#chunks.length === 0 ? this.#chunkHint : SEND_BYTES_MAX
    const chunk = { bytes: new Uint8Array(Math.max(size, hint)), filled: 0, sent: 0 }
    this.#chunks.push(chunk)
    return chunk
  }

  #flush(): void {
    if (this.#ended) return
    const before = this.#queuedBytes
    while (this.#queuedBytes > 0 && this.#stream.isWritable && !this.#ended) this.#sendOne()
    if (this.#ended) return
    const sent = before - this.#queuedBytes
    // Room for a tick like the last one, so that a busy stream allocates once a tick and an idle one holds nothing.
    if (sent > 0) this.#chunkHint = Math.min(Math.max(sent, CHUNK_BYTES_MIN), SEND_BYTES_MAX)
    this.#watchStall(sent > 0)
    if (this.#closing && this.#queuedBytes === 0) {
      this.#stream.close()
      return
    }
    if (this.#wasFull && !this.isFull) {
      this.#wasFull = false
      this.#events.onRoom()
    }
  }

  #sendOne(): void {
    const chunk = this.#chunks[0] as Chunk
    const until = Math.min(chunk.filled, chunk.sent + SEND_BYTES_MAX)
    const bytes = chunk.bytes.subarray(chunk.sent, until)
    chunk.sent = until
    if (until === chunk.filled) this.#chunks.shift()
    this.#queuedBytes -= bytes.byteLength
    this.#stream.send(bytes)
  }

  #watchStall(progressed: boolean): void {
    if (progressed || this.#queuedBytes === 0) {
      this.#cancelStall?.()
      this.#cancelStall = undefined
    }
    if (this.#queuedBytes === 0 || this.#cancelStall !== undefined) return
    this.#cancelStall = this.#init.clock.schedule(STALL_MS, () => {
      this.abort(new ProtocolError('timeout', 'the peer does not read'))
    })
  }

  #watchPartial(): void {
    if (this.#cancelWatch !== undefined || this.#ended) return
    this.#framesAtWatch = this.#framesRead
    this.#cancelWatch = this.#init.clock.schedule(PARTIAL_FRAME_MS, () => {
      this.#cancelWatch = undefined
      if (this.#reader.heldBytes === 0) return
      if (this.#reader.isPaused || this.#framesRead !== this.#framesAtWatch) this.#watchPartial()
      else this.abort(new ProtocolError('timeout', 'a frame that does not end'))
    })
  }

  /** The other side ended or lost it: no half of a stream is kept. */
  #lost(error: Error | undefined): void {
    if (this.#ended) return
    if (error === undefined) this.#stream.close()
    else this.#stream.abort(error)
    this.#end(error)
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelStall?.()
    this.#cancelWatch?.()
    this.#chunks.length = 0
    this.#queuedBytes = 0
    this.#reader.close()
    this.#events.onEnd(error)
  }
}

/** libp2p rejects with events as well as with errors. */
export function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason
  const inner = (reason as { error?: unknown } | undefined)?.error
  return inner instanceof Error ? inner : new Error('stream closed')
}
