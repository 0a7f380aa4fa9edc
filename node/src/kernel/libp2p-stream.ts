// A libp2p stream as a ByteStream, with the work-arounds that libp2p 3.3 needs. Each has a test
// (node/test/kernel/libp2p-faults.test.ts) that says when it can go.
import type { Stream } from '@libp2p/interface'
import type { ByteStream, ByteStreamEvents } from './byte-stream.ts'
import { asError } from './framing.ts'

/** Status at which no event follows any more. */
const isGone = (stream: Stream): boolean => stream.status !== 'open'

export class Libp2pByteStream implements ByteStream {
  readonly #stream: Stream
  #events: ByteStreamEvents | undefined
  #isPaused = false

  constructor(stream: Stream) {
    this.#stream = stream
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    const stream = this.#stream
    stream.addEventListener('message', ({ data }) =>
      this.#events?.onBytes(data instanceof Uint8Array ? data : data.subarray())
    )
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
    // The returned boolean is `writableNeedsDrain` at that moment. `onDrain()` waits only once: never used.
    this.#stream.send(bytes)
  }

  pause(): void {
    this.#isPaused = true
    // Inside a `message` event that `resume()` dispatches, `pause()` would be undone right after it.
    queueMicrotask(() => {
      if (this.#isPaused && this.#stream.readStatus === 'readable') this.#stream.pause()
    })
  }

  resume(): void {
    this.#isPaused = false
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  close(): void {
    // Rejects with an Event, not an Error, when the stream dies meanwhile; its own `close` event tells.
    this.#stream.close().catch(() => {})
  }

  abort(error: Error): void {
    this.#stream.abort(asError(error))
  }

  #end(error: Error | undefined): void {
    const events = this.#events
    this.#events = undefined
    events?.onEnd(error === undefined ? undefined : asError(error))
  }
}
