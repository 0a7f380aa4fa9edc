// Frames over a byte stream that a test drives by hand: cutting, lies, queues, pauses.
import { frame as frames, KIB, MIB, ProtocolError } from '@kith/protocols'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ByteStream, ByteStreamEvents } from '../../src/kernel/byte-stream.ts'
import {
  decodeFrame,
  type Frame,
  FrameEncoder,
  KIND,
  type OutgoingFrame
} from '../../src/kernel/frame-codec.ts'
import { FrameReader } from '../../src/kernel/frame-reader.ts'
import {
  FrameChannel,
  PARTIAL_FRAME_MS,
  STALL_MS,
  WRITE_QUEUE_BYTES_HIGH,
  WRITE_QUEUE_BYTES_MAX
} from '../../src/kernel/framing.ts'
import { FakeClock, settled } from '../../src/testing/index.ts'

class HandStream implements ByteStream {
  events!: ByteStreamEvents
  isWritable = true
  sent: Uint8Array[] = []
  released = 0
  closed = false
  aborted: Error | undefined

  attach(events: ByteStreamEvents): void {
    this.events = events
  }
  send(bytes: Uint8Array): void {
    this.sent.push(bytes.slice())
  }
  release(byteCount: number): void {
    this.released += byteCount
  }
  close(): void {
    this.closed = true
  }
  abort(error: Error): void {
    this.aborted = error
  }
}

let clock: FakeClock
let stream: HandStream
let channel: FrameChannel
let received: Frame[]
let ends: (Error | undefined)[]
let rooms: number
let onFrame: (frame: Frame) => void

beforeEach(() => {
  clock = new FakeClock()
  stream = new HandStream()
  received = []
  ends = []
  rooms = 0
  onFrame = (frame) => void received.push(frame)
  channel = new FrameChannel(
    stream,
    {
      onFrame: (frame) => onFrame(frame),
      onRoom: () => {
        rooms += 1
      },
      onEnd: (error) => void ends.push(error)
    },
    { clock, defer: queueMicrotask }
  )
})

function encoded(outgoing: OutgoingFrame): Uint8Array {
  const encoder = new FrameEncoder(outgoing)
  const bytes = new Uint8Array(encoder.totalBytes)
  expect(encoder.writeTo(bytes, 0)).toBe(bytes.byteLength)
  return bytes
}

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const request = (id: number, body: Uint8Array) => encoded({ kind: KIND.request, id, body })

const anyFrame = fc.record({
  kind: fc.constantFrom(...Object.values(KIND)),
  id: fc.integer({ min: 0, max: 0xffffffff }),
  method: fc.option(
    fc.uint8Array({ maxLength: 100 }).map((b) => Buffer.from(b.map((c) => c & 0x7f))),
    { nil: undefined }
  ),
  body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
  status: fc.option(fc.nat(20), { nil: undefined }),
  detail: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
  retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
  credit: fc.option(fc.nat(), { nil: undefined })
})

const KIND_NAMES = new Map<number, frames.FrameKind>([
  [1, frames.FrameKind.REQUEST],
  [2, frames.FrameKind.RESPONSE],
  [3, frames.FrameKind.SUBSCRIBE],
  [4, frames.FrameKind.ITEM],
  [5, frames.FrameKind.CREDIT],
  [6, frames.FrameKind.END]
])

describe('a written frame', () => {
  it('is byte for byte what the generated codec writes', () => {
    fc.assert(
      fc.property(anyFrame, (outgoing) => {
        const expected = frames.Frame.encode({
          kind: KIND_NAMES.get(outgoing.kind) as frames.FrameKind,
          id: outgoing.id,
          method: new TextDecoder().decode(outgoing.method ?? new Uint8Array(0)),
          body: outgoing.body ?? new Uint8Array(0),
          status: outgoing.status ?? 0,
          detail: outgoing.detail ?? '',
          retryAfterMs: outgoing.retryAfterMs ?? 0,
          credit: outgoing.credit ?? 0
        })
        const bytes = encoded(outgoing)
        expect(bytes.subarray(bytes.byteLength - expected.byteLength)).toEqual(
          new Uint8Array(expected)
        )
      })
    )
  })
})

describe('reading', () => {
  it('finds the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (bodies, cuts) => {
          const found: Uint8Array[] = []
          const reader = new FrameReader(frames.FRAME_BYTES_MAX, (bytes) =>
            found.push(decodeFrame(bytes).body)
          )
          const all = join(...bodies.map((body, index) => request(index + 1, body)))
          for (let at = 0, turn = 0; at < all.byteLength; turn += 1) {
            const length = cuts[turn % cuts.length] as number
            reader.push(all.subarray(at, at + length))
            at += length
          }
          expect(found).toEqual(bodies)
          expect(reader.heldBytes).toBe(0)
        }
      )
    )
  })

  const lies: [string, number[]][] = [
    ['one byte more than the limit', [0x81, 0x88, 0x40]],
    ['2^31', [0x80, 0x80, 0x80, 0x80, 0x08]],
    ['2^63', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['twelve bytes of prefix', Array.from({ length: 12 }, () => 0xff)],
    ['a padded small number', [0x85, 0x80, 0x80, 0x00]]
  ]
  it.each(lies)('refuses a length of %s before any body, holding nothing', (_name, prefix) => {
    for (const byte of prefix) stream.events.onBytes(Uint8Array.of(byte))
    expect(stream.aborted).toMatchObject({ code: 'too-large' })
    expect(ends).toHaveLength(1)
    expect(received).toEqual([])
    // The third byte of the prefix tells; nothing after it is looked at.
    expect(stream.released).toBe(2)
  })

  it('takes a frame of the largest size and no larger one', () => {
    const body = new Uint8Array(frames.FRAME_BYTES_MAX - 8)
    stream.events.onBytes(request(1, body))
    expect(received[0]?.body.byteLength).toBe(body.byteLength)
    expect(stream.aborted).toBeUndefined()
    expect(() =>
      channel.write({ kind: KIND.request, id: 1, body: new Uint8Array(MIB + KIB) })
    ).toThrow(ProtocolError)
  })

  it('tells an end inside a frame from one between frames', () => {
    stream.events.onBytes(request(1, new Uint8Array(10)).subarray(0, 5))
    stream.events.onEnd()
    expect(ends).toEqual([expect.objectContaining({ code: 'malformed' })])
    expect(stream.aborted).toBeDefined()
    expect(stream.closed).toBe(false)
  })

  it('closes its side when the other side ended between frames', () => {
    stream.events.onBytes(request(1, new Uint8Array(10)))
    stream.events.onEnd()
    expect(ends).toEqual([undefined])
    expect(stream.closed).toBe(true)
    expect(stream.aborted).toBeUndefined()
  })

  it('survives anything: frames or one refusal, never an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (pieces) => {
        const garbage = new HandStream()
        const told: (Error | undefined)[] = []
        new FrameChannel(
          garbage,
          { onFrame: () => {}, onRoom: () => {}, onEnd: (error) => void told.push(error) },
          { clock, defer: queueMicrotask }
        )
        for (const piece of pieces) garbage.events.onBytes(piece)
        garbage.events.onEnd()
        expect(told).toHaveLength(1)
        if (told[0] !== undefined) expect(told[0]).toBeInstanceOf(ProtocolError)
      }),
      { numRuns: 2_000 }
    )
  })

  it('hands out nothing after the receiver aborted in the middle of a piece', () => {
    onFrame = (frame) => {
      received.push(frame)
      if (frame.id === 2) channel.abort(new Error('enough'))
    }
    stream.events.onBytes(join(...[1, 2, 3, 4].map((id) => request(id, new Uint8Array(3)))))
    expect(received.map(({ id }) => id)).toEqual([1, 2])
    expect(ends).toHaveLength(1)
  })
})

describe('a paused reader', () => {
  it('hands out and releases nothing until resumed, then everything in order', () => {
    const all = [1, 2, 3, 4].map((id) => request(id, new Uint8Array(100)))
    onFrame = (frame) => {
      received.push(frame)
      if (frame.id === 2) channel.pause()
    }
    stream.events.onBytes(join(...all))
    stream.events.onBytes(request(5, new Uint8Array(100)))
    expect(received.map(({ id }) => id)).toEqual([1, 2])
    expect(stream.released).toBe(2 * (all[0]?.byteLength ?? 0))
    channel.resume()
    expect(received.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5])
    expect(stream.released).toBe(5 * (all[0]?.byteLength ?? 0))
  })

  it('may be paused again by each frame that a resume hands out', () => {
    onFrame = (frame) => {
      received.push(frame)
      channel.pause()
    }
    stream.events.onBytes(join(...[1, 2, 3].map((id) => request(id, new Uint8Array(9)))))
    for (const count of [1, 2, 3, 3]) {
      expect(received).toHaveLength(count)
      channel.resume()
    }
  })

  it('releases part of a frame, which may be larger than the window', () => {
    stream.events.onBytes(request(1, new Uint8Array(MIB)).subarray(0, 1_000))
    expect(stream.released).toBe(1_000)
  })
})

describe('writing', () => {
  it('joins the frames of a tick into one send', async () => {
    for (let id = 1; id <= 50; id += 1) channel.write({ kind: KIND.response, id })
    expect(stream.sent).toHaveLength(0)
    await settled()
    expect(stream.sent).toHaveLength(1)
    stream.events.onBytes(stream.sent[0] as Uint8Array)
    expect(received.map(({ id }) => id)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1)
    )
  })

  it('keeps order over many chunks and sizes', async () => {
    const sizes = [10, 70_000, 500, 64_000, 3, 200_000, 1]
    for (const [index, size] of sizes.entries()) {
      channel.write({ kind: KIND.item, id: index + 1, body: new Uint8Array(size).fill(index) })
      if (index % 3 === 2) await settled()
    }
    await settled()
    for (const bytes of stream.sent) {
      expect(bytes.byteLength).toBeLessThanOrEqual(64 * KIB)
      stream.events.onBytes(bytes)
    }
    expect(received.map(({ body }) => [body[0], body.byteLength])).toEqual(
      sizes.map((size, index) => [index, size])
    )
  })

  it('waits while the stream takes nothing, counts what waits, and says when there is room', async () => {
    stream.isWritable = false
    const body = new Uint8Array(64 * KIB)
    while (!channel.isFull) channel.write({ kind: KIND.item, id: 1, body })
    await settled()
    expect(stream.sent).toHaveLength(0)
    expect(channel.queuedBytes).toBeGreaterThanOrEqual(WRITE_QUEUE_BYTES_HIGH)
    expect(channel.queuedBytes).toBeLessThan(WRITE_QUEUE_BYTES_HIGH + 65 * KIB)
    expect(rooms).toBe(0)
    stream.isWritable = true
    stream.events.onWritable()
    expect(rooms).toBe(1)
    expect(channel.queuedBytes).toBe(0)
  })

  it('aborts rather than queue without bound', () => {
    stream.isWritable = false
    const body = new Uint8Array(MIB)
    for (let index = 0; index < 20; index += 1) channel.write({ kind: KIND.response, id: 1, body })
    expect(stream.aborted).toMatchObject({ code: 'unavailable' })
    expect(ends).toHaveLength(1)
    expect(channel.queuedBytes).toBe(0)
    expect(WRITE_QUEUE_BYTES_MAX).toBe(16 * MIB)
  })

  it('gives up on a peer that takes nothing for half a minute, and not on a slow one', async () => {
    stream.isWritable = false
    channel.write({ kind: KIND.response, id: 1, body: new Uint8Array(10) })
    await clock.advance(STALL_MS - 1)
    stream.isWritable = true
    stream.events.onWritable()
    stream.isWritable = false
    channel.write({ kind: KIND.response, id: 2, body: new Uint8Array(10) })
    await clock.advance(STALL_MS - 1)
    expect(stream.aborted).toBeUndefined()
    await clock.advance(1)
    expect(stream.aborted).toMatchObject({ code: 'timeout' })
  })

  it('gives up on a frame that drips in for ever, not on frames that go on arriving', async () => {
    const slow = request(1, new Uint8Array(1_000))
    for (let turn = 0; turn < 10; turn += 1) {
      stream.events.onBytes(slow.subarray(0, 500))
      await clock.advance(PARTIAL_FRAME_MS - 1)
      stream.events.onBytes(slow.subarray(500))
    }
    expect(received).toHaveLength(10)
    stream.events.onBytes(slow.subarray(0, 10))
    for (let at = 10; at < 300; at += 1) {
      stream.events.onBytes(slow.subarray(at, at + 1))
      await clock.advance(1_000)
    }
    expect(received).toHaveLength(10)
    expect(ends).toMatchObject([{ code: 'timeout' }])
  })

  it('waits for a frame that a pause of ours holds up', async () => {
    const slow = request(1, new Uint8Array(1_000))
    stream.events.onBytes(slow.subarray(0, 500))
    channel.pause()
    await clock.advance(10 * PARTIAL_FRAME_MS)
    channel.resume()
    await clock.advance(PARTIAL_FRAME_MS - 1)
    stream.events.onBytes(slow.subarray(500))
    expect(received).toHaveLength(1)
    expect(ends).toEqual([])
  })

  it('that is closed sends what is queued first, and takes nothing more', async () => {
    channel.write({ kind: KIND.response, id: 1 })
    channel.close()
    channel.write({ kind: KIND.response, id: 2 })
    await settled()
    for (const bytes of stream.sent) stream.events.onBytes(bytes)
    expect(received.map(({ id }) => id)).toEqual([1])
    expect(stream.closed).toBe(true)
  })
})
