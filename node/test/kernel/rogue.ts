// A stream whose other end writes what it likes and reads only if told to.
import { frame as frames, KIB } from '@kith/protocols'
import { FrameEncoder, type OutgoingFrame } from '../../src/kernel/frame-codec.ts'
import { FrameReader } from '../../src/kernel/frame-reader.ts'
import { MemoryStream } from '../../src/testing/memory-stream.ts'

export const method = (protocol: { id: string }) => new TextEncoder().encode(protocol.id)

export const remote = { device: '12D3KooWtest' as never, publicKey: new Uint8Array(32) }
export const WINDOW_BYTES = 256 * KIB

/** Two ends of a stream; what is sent arrives in the next microtask. */
export function createPair(): [MemoryStream, MemoryStream] {
  const create = () =>
    new MemoryStream({
      windowBytes: WINDOW_BYTES,
      chunkBytes: 64 * KIB,
      dueMs: () => 0,
      wake: (end) =>
        queueMicrotask(() => {
          while (end.deliver(0));
        }),
      onClosed: () => {}
    })
  const [near, far] = [create(), create()]
  near.peer = far
  far.peer = near
  return [near, far]
}

/** The hostile end: writes what it likes, reads only if told to. */
export class Rogue {
  readonly stream: MemoryStream
  readonly frames: frames.Frame[] = []
  readonly #reader = new FrameReader(frames.FRAME_BYTES_MAX, (one) =>
    this.frames.push(frames.Frame.decode(one))
  )
  receivedBytes = 0
  isReading: boolean
  end: Error | undefined | 'open' = 'open'

  constructor(stream: MemoryStream, isReading = true) {
    this.stream = stream
    this.isReading = isReading
    stream.attach({
      onBytes: (piece) => {
        this.receivedBytes += piece.byteLength
        if (!this.isReading) return
        this.#reader.push(piece)
        stream.release(piece.byteLength)
      },
      onWritable: () => {},
      onEnd: (error) => {
        this.end = error
      }
    })
  }

  write(...outgoing: OutgoingFrame[]): void {
    for (const one of outgoing) {
      const encoder = new FrameEncoder(one)
      const encoded = new Uint8Array(encoder.totalBytes)
      encoder.writeTo(encoded, 0)
      this.stream.send(encoded)
    }
  }
}
