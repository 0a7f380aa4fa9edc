// One stream of the memory network: two ends, a window in each direction, delivery decided by the network.
import type { ByteStream, ByteStreamEvents } from '../kernel/byte-stream.ts'

/** Bytes, or the end of the sender's writing (no bytes). */
interface Parcel {
  readonly bytes: Uint8Array | undefined
  readonly dueMs: number
}

export interface MemoryStreamInit {
  /** Bytes a sender may be ahead of the reader. */
  readonly windowBytes: number
  /** Longest piece in which bytes are delivered. */
  readonly chunkBytes: number
  /** Moment at which what is sent now arrives. */
  readonly dueMs: () => number
  /** Asks for a call of `deliver` on this end at that moment. */
  readonly wake: (stream: MemoryStream) => void
  readonly onClosed: () => void
}

/** One end. What it sends waits in `#outbox` until the network delivers it to `peer`. */
export class MemoryStream implements ByteStream {
  peer!: MemoryStream
  readonly #init: MemoryStreamInit
  #events: ByteStreamEvents | undefined
  #outbox: Parcel[] = []
  /** Sent and not released by the reader. */
  #aheadBytes = 0
  #isGone = false
  #isEnding = false
  #wasFull = false
  #hasPeerEnded = false

  constructor(init: MemoryStreamInit) {
    this.#init = init
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    if (this.#isGone) queueMicrotask(() => this.#tellEnd(new Error('stream was reset')))
    else this.#init.wake(this.peer)
  }

  get isWritable(): boolean {
    return this.#aheadBytes < this.#init.windowBytes && !this.#isEnding && !this.#isGone
  }

  get aheadBytes(): number {
    return this.#aheadBytes
  }

  send(bytes: Uint8Array): void {
    if (this.#isGone || this.#isEnding) return
    for (let at = 0; at < bytes.byteLength; at += this.#init.chunkBytes) {
      const piece = bytes.subarray(at, at + this.#init.chunkBytes)
      this.#outbox.push({ bytes: piece, dueMs: this.#init.dueMs() })
    }
    this.#aheadBytes += bytes.byteLength
    if (!this.isWritable) this.#wasFull = true
    this.#init.wake(this)
  }

  release(byteCount: number): void {
    this.peer.#released(byteCount)
  }

  close(): void {
    if (this.#isGone || this.#isEnding) return
    this.#isEnding = true
    this.#outbox.push({ bytes: undefined, dueMs: this.#init.dueMs() })
    this.#init.wake(this)
  }

  abort(error: Error): void {
    this.lose(error)
    this.peer.lose(new Error('stream was reset', { cause: error }))
  }

  /** Hands the next parcel to the other end; false when none is due or it is not wanted now. */
  deliver(nowMs: number): boolean {
    const { peer } = this
    if (this.#isGone || peer.#events === undefined) return false
    const parcel = this.#outbox[0]
    if (parcel === undefined || parcel.dueMs > nowMs) return false
    this.#outbox.shift()
    if (parcel.bytes === undefined) {
      peer.#receiveEnd()
      return true
    }
    peer.#events.onBytes(parcel.bytes)
    return true
  }

  /** This end is lost, whatever the other one knows. */
  lose(error: Error): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#outbox = []
    this.#aheadBytes = 0
    this.#init.onClosed()
    this.#tellEnd(error)
  }

  #released(byteCount: number): void {
    this.#aheadBytes -= byteCount
    if (!this.#wasFull || !this.isWritable) return
    this.#wasFull = false
    // Not from within the reader, as no real window update is.
    queueMicrotask(() => this.#events?.onWritable())
  }

  #receiveEnd(): void {
    this.#hasPeerEnded = true
    this.#tellEnd(undefined)
    if (this.#isEnding && this.peer.#hasPeerEnded) {
      this.#isGone = true
      this.peer.#isGone = true
      this.#init.onClosed()
      this.peer.#init.onClosed()
    }
  }

  #tellEnd(error: Error | undefined): void {
    const events = this.#events
    if (events === undefined) return
    this.#events = undefined
    events.onEnd(error)
  }
}
