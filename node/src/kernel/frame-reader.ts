// Cuts a stream of bytes into frames. A length is checked against the limit as soon as its prefix is complete,
// so that a lie costs neither memory nor waiting.
import { ProtocolError } from '@kith/protocols'
import { PREFIX_BYTES_MAX } from './frame-codec.ts'

const NOTHING = new Uint8Array(0)

export class FrameReader {
  readonly #frameBytesMax: number
  readonly #onFrame: (bytes: Uint8Array) => void
  /** Bytes of frames not complete or not wanted yet, in order. */
  #parts: Uint8Array[] = []
  #heldBytes = 0
  /** Bytes that must be held before looking again is worth it. */
  #neededBytes = 1
  #pushing = false
  isPaused = false

  constructor(frameBytesMax: number, onFrame: (bytes: Uint8Array) => void) {
    this.#frameBytesMax = frameBytesMax
    this.#onFrame = onFrame
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /**
   * Takes bytes and hands out every complete frame, as views where possible. Without bytes: looks again at those
   * held, after a pause. Throws ProtocolError on a bad prefix and whatever the receiver of the frame throws.
   */
  push(bytes: Uint8Array = NOTHING): void {
    if (bytes.byteLength > 0) {
      this.#parts.push(bytes)
      this.#heldBytes += bytes.byteLength
    }
    // The receiver of a frame may pause and resume, which comes back here.
    if (this.#pushing) return
    this.#pushing = true
    try {
      while (!this.isPaused && this.#heldBytes >= this.#neededBytes) this.#cut()
    } finally {
      this.#pushing = false
    }
  }

  /** The error an end of the stream here stands for: a frame cut off in the middle. */
  endError(): Error | undefined {
    return this.#heldBytes === 0 || this.isPaused
      ? undefined
      : new ProtocolError('malformed', 'the stream ended inside a frame')
  }

  /** Lets go of everything and hands out nothing more. */
  close(): void {
    this.isPaused = true
    this.#parts = []
    this.#heldBytes = 0
  }

  /** Hands out frames of the bytes held so far until they end or somebody pauses. */
  #cut(): void {
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : this.#join()
    this.#parts = []
    this.#heldBytes = 0
    this.#neededBytes = 1
    let at = 0
    while (at < bytes.byteLength && !this.isPaused) {
      const end = this.#frameEnd(bytes, at)
      if (end > bytes.byteLength) {
        this.#neededBytes = end - at
        break
      }
      const start = this.#bodyStart
      at = end
      this.#onFrame(bytes.subarray(start, end))
    }
    if (at === bytes.byteLength) return
    // What arrived meanwhile (a receiver that looped bytes back) stays behind the rest.
    const rest = bytes.subarray(at)
    this.#parts.unshift(rest)
    this.#heldBytes += rest.byteLength
  }

  #bodyStart = 0

  /** Offset behind the frame that starts at `at`; behind what is here when it is incomplete. */
  #frameEnd(bytes: Uint8Array, at: number): number {
    let length = 0
    for (let index = 0; index < PREFIX_BYTES_MAX; index += 1) {
      const byte = bytes[at + index]
      if (byte === undefined) return bytes.byteLength + 1
      length |= (byte & 0x7f) << (7 * index)
      if (byte < 0x80) {
        this.#bodyStart = at + index + 1
        if (length > this.#frameBytesMax) break
        return this.#bodyStart + length
      }
    }
    throw new ProtocolError('too-large', `frame of more than ${this.#frameBytesMax} bytes`)
  }

  #join(): Uint8Array {
    const joined = new Uint8Array(this.#heldBytes)
    let at = 0
    for (const part of this.#parts) {
      joined.set(part, at)
      at += part.byteLength
    }
    return joined
  }
}
