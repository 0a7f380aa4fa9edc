// A libp2p stream as a ByteStream, with the work-arounds that libp2p 3.3 needs. Each has a test
// (node/test/kernel/libp2p-faults.test.ts) that says when it can go.
import { KIB } from '@kith/protocols'
import type { Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { ByteStream, ByteStreamEvents } from './byte-stream.ts'
import { asError } from './framing.ts'

/** Half of Yamux's smallest window: a sender never stands still, and a window update comes every 128 KiB. */
const WINDOW_UPDATE_BYTES = 128 * KIB

/** A stream without a window that we control is paused with this much unread, and read again below it. */
const PAUSE_BYTES = 256 * KIB

/**
 * Yamux answers every data frame with a window update, which costs both sides as much as a small message. These
 * two let it answer only when told to; nothing else of a stream calls them while it is not paused.
 */
interface WindowedStream extends Stream {
  sendPause(): void
  sendResume(): void
  sendWindowUpdate(): void
}

function isWindowed(stream: Stream): stream is WindowedStream {
  return (['sendPause', 'sendResume', 'sendWindowUpdate'] as const).every(
    (name) => typeof (stream as Partial<WindowedStream>)[name] === 'function'
  )
}

/** Status at which no event follows any more. */
const isGone = (stream: Stream): boolean => stream.status !== 'open'

export class Libp2pByteStream implements ByteStream {
  readonly #stream: Stream
  #events: ByteStreamEvents | undefined
  #unreleasedBytes = 0
  #releasedBytes = 0

  constructor(stream: Stream) {
    this.#stream = stream
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    const stream = this.#stream
    stream.addEventListener('message', ({ data }) => this.#receive(data))
    if (isWindowed(stream)) stream.sendPause()
    stream.addEventListener('drain', () => this.#events?.onWritable())
    stream.addEventListener('close', ({ error }) => this.#end(error ?? undefined))
    // Comes when everything was delivered, unlike `remoteCloseWrite`. On a reset, `close` follows with the error.
    stream.addEventListener('end', () => {
      if (!isGone(stream)) this.#end(undefined)
    })
    // A reset that came before the listeners is not told again: without this the reader would wait for ever.
    if (isGone(stream)) queueMicrotask(() => this.#end(new Error(`stream was ${stream.status}`)))
  }

  get isWritable(): boolean {
    return !this.#stream.writableNeedsDrain && this.#stream.writeStatus === 'writable'
  }

  send(bytes: Uint8Array): void {
    if (this.#stream.writeStatus !== 'writable') return
    // What it returns is `isWritable`. `onDrain()` waits only once: never used.
    this.#guard(() => this.#stream.send(bytes))
  }

  release(byteCount: number): void {
    this.#unreleasedBytes -= byteCount
    this.#releasedBytes += byteCount
    const stream = this.#stream
    if (isGone(stream)) return
    if (!isWindowed(stream)) {
      if (this.#unreleasedBytes < PAUSE_BYTES && stream.readStatus === 'paused') stream.resume()
      return
    }
    if (this.#releasedBytes < WINDOW_UPDATE_BYTES) return
    this.#releasedBytes = 0
    this.#guard(() => {
      stream.sendResume()
      stream.sendPause()
    })
  }

  close(): void {
    // Rejects with an Event, not an Error, when the stream dies meanwhile; its own `close` event tells.
    this.#stream.close().catch(() => {})
  }

  abort(error: Error): void {
    this.#stream.abort(asError(error))
  }

  #receive(data: Uint8Array | Uint8ArrayList): void {
    this.#unreleasedBytes += data.byteLength
    const bytes = data instanceof Uint8Array ? data : data.subarray()
    // Node's Buffer is a Uint8Array whose `slice` and `toJSON` do something else: it goes no further.
    this.#events?.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (this.#unreleasedBytes < PAUSE_BYTES || isWindowed(this.#stream)) return
    // Inside a `message` event that `resume()` dispatches, `pause()` would be undone right after it.
    queueMicrotask(() => {
      const isAhead = this.#unreleasedBytes >= PAUSE_BYTES
      if (isAhead && this.#stream.readStatus === 'readable') this.#stream.pause()
    })
  }

  /** The library throws when the connection under the stream broke in this very moment. */
  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#stream.abort(asError(error))
      this.#end(asError(error))
    }
  }

  #end(error: Error | undefined): void {
    const events = this.#events
    this.#events = undefined
    events?.onEnd(error === undefined ? undefined : asError(error))
  }
}
