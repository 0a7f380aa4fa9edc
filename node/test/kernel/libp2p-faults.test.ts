// Faults of the pinned libp2p that the kernel works around. Each test first shows that the library still has the
// fault, then that ours does not suffer. When an upgrade makes the first half fail, the work-around named there
// can go.
import { KIB, MIB } from '@kith/protocols'
import type { Libp2p } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, describe, expect, it } from 'vitest'
import { asError } from '../../src/kernel/framing.ts'
import type { Network } from '../../src/kernel/index.ts'
import { cheapNoise } from '../../src/kernel/libp2p-noise.ts'
import { Libp2pByteStream } from '../../src/kernel/libp2p-stream.ts'
import { createRaw, createRawPair, type RawPair, until, type YamuxStream } from './libp2p-raw.ts'
import { addressOf, bytes, echo, startNetwork } from './rpc-fixture.ts'

const cleanup: (() => unknown)[] = []

afterEach(async () => {
  await Promise.all(cleanup.splice(0).map((one) => one()))
})

async function pair(options?: Parameters<typeof createRawPair>[0]): Promise<RawPair> {
  const created = await createRawPair(options)
  cleanup.push(() => created.stop())
  return created
}

const CHUNK = new Uint8Array(64 * KIB)
/** A window that does not grow, as relays have it. */
const SMALL_WINDOW = { streamOptions: { maxStreamWindowSize: 256 * KIB } }

/** Sends until the stream says that it is full; bytes sent. */
function fill(stream: YamuxStream): number {
  let sent = 0
  while (stream.send(CHUNK)) sent += CHUNK.byteLength
  return sent + CHUNK.byteLength
}

/** Our end of a raw stream, which counts and releases only when told to. */
function attachOurs(stream: YamuxStream) {
  const ours = new Libp2pByteStream(stream)
  const state = {
    receivedBytes: 0,
    ended: false,
    error: undefined as Error | undefined,
    writables: 0
  }
  ours.attach({
    onBytes: (piece) => {
      state.receivedBytes += piece.byteLength
    },
    onWritable: () => {
      state.writables += 1
    },
    onEnd: (error) => {
      state.ended = true
      state.error = error
    }
  })
  return { ours, state }
}

describe('onDrain() waits only once', () => {
  it('in the library: the second wait ends at once although the stream is full', async () => {
    const { near, far } = await pair({ yamux: SMALL_WINDOW })
    far.addEventListener('message', () => {})
    fill(near)
    await near.onDrain()
    await until(() => !near.writableNeedsDrain)
    far.pause()
    fill(near)
    expect(near.writableNeedsDrain).toBe(true)
    await near.onDrain()
    expect(near.writableNeedsDrain).toBe(true)
  })

  it('ours sends only while the stream is writable and is told when it is again', async () => {
    const { near, far } = await pair({ yamux: SMALL_WINDOW })
    const reader = attachOurs(far)
    const { ours, state } = attachOurs(near)
    for (let round = 1; round <= 4; round += 1) {
      while (ours.isWritable) ours.send(CHUNK)
      expect(near.writeBufferLength).toBeLessThanOrEqual(CHUNK.byteLength)
      const { writables } = state
      await until(() => {
        reader.ours.release(reader.state.receivedBytes)
        reader.state.receivedBytes = 0
        return state.writables > writables && ours.isWritable
      })
    }
  })
})

describe('a pause inside a message event that a resume dispatches is undone', () => {
  it('in the library: the sender is let on until the reader is reset', async () => {
    const { near, far } = await pair({ yamux: SMALL_WINDOW })
    far.addEventListener('message', () => far.pause())
    far.pause()
    near.send(CHUNK)
    await until(() => far.readBufferLength > 0)
    far.resume()
    expect(far.readStatus).toBe('paused')
    const send = () => {
      while (near.status === 'open' && !near.writableNeedsDrain) near.send(CHUNK)
    }
    near.addEventListener('drain', () => queueMicrotask(send))
    send()
    await until(() => far.status === 'aborted')
  })

  it('ours stops the sender at its window, whenever it stops releasing', async () => {
    const { near, far } = await pair({ yamux: SMALL_WINDOW })
    const reader = attachOurs(far)
    const writer = attachOurs(near)
    while (writer.ours.isWritable) writer.ours.send(CHUNK)
    await until(() => reader.state.receivedBytes > 0)
    reader.ours.release(reader.state.receivedBytes)
    for (let turn = 0; turn < 500; turn += 1) {
      while (writer.ours.isWritable) writer.ours.send(CHUNK)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // One window before the release and one after it.
    expect(reader.state.receivedBytes).toBeLessThanOrEqual(2 * 256 * KIB)
    expect(far.status).toBe('open')
  })
})

describe('a window larger than the read buffer', () => {
  const WIDE = { streamOptions: { initialStreamWindowSize: 8 * MIB, maxStreamWindowSize: 8 * MIB } }

  it('in the library: a reader that pauses loses the stream (its defaults are 16 MiB and 4 MiB)', async () => {
    const { near, far } = await pair({ yamux: WIDE })
    far.addEventListener('message', () => {})
    far.pause()
    for (let sent = 0; sent < 6 * MIB && near.status === 'open'; sent += CHUNK.byteLength) {
      near.send(CHUNK)
      if (sent % MIB === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => far.status === 'aborted')
  })

  it.each(['relay', 'node'] as const)(
    'ours (%s) keeps the stream of a sender that fills it, and serves others meanwhile',
    async (profile) => {
      const server = await startNetwork({ profile })
      cleanup.push(() => server.stop())
      const { promise: release, resolve } = Promise.withResolvers<void>()
      let running = 0
      const slow = { ...echo, id: '/kith/test/slow/1.0.0', lane: 'bulk' as const }
      server.rpc.serve(slow, async (request) => {
        running += 1
        await release
        return request
      })
      server.rpc.serve(echo, async (request) => request)
      const client = await startNetwork({ listen: [] })
      cleanup.push(() => client.stop())
      const body = new Uint8Array(60 * KIB)
      const asked = Array.from({ length: 300 }, () =>
        client.rpc.request(addressOf(server), slow, body)
      )
      await until(() => running > 50)
      for (let index = 0; index < 20; index += 1) {
        await client.rpc.request(addressOf(server), echo, bytes('x'))
      }
      // 60 KiB held and 64 KiB of answer allowed to each, of 8 MiB.
      expect(running).toBeLessThanOrEqual(67)
      resolve()
      expect(await Promise.all(asked)).toHaveLength(300)
    }
  )
})

describe('a reset before listeners are attached', () => {
  it('in the library: iterating ends cleanly, as if nothing had been sent', async () => {
    const { near, far } = await pair()
    far.abort(new Error('no'))
    await until(() => near.status === 'reset')
    const pieces: unknown[] = []
    for await (const piece of near) pieces.push(piece)
    expect(pieces).toEqual([])
  })

  it('ours ends with an error', async () => {
    const { near, far } = await pair()
    far.abort(new Error('no'))
    await until(() => near.status === 'reset')
    const { state } = attachOurs(near)
    await until(() => state.ended)
    expect(state.error).toBeInstanceOf(Error)
  })

  it('ours also ends with an error when the reset comes later', async () => {
    const { near, far } = await pair()
    const { state } = attachOurs(near)
    far.abort(new Error('no'))
    await until(() => state.ended)
    expect(state.error).toBeInstanceOf(Error)
  })

  it('ours ends without one when the other side closed', async () => {
    const { near, far } = await pair()
    const { state } = attachOurs(near)
    far.send(new Uint8Array(10))
    await far.close()
    await until(() => state.ended)
    expect(state).toMatchObject({ error: undefined, receivedBytes: 10 })
  })
})

describe('rejections that are no errors', () => {
  it('in the library: closing a stream that dies rejects with an event; ours becomes an error', async () => {
    const { near, far } = await pair({ yamux: SMALL_WINDOW })
    far.addEventListener('message', () => {})
    far.pause()
    fill(near)
    const closing = near.close().catch((reason: unknown) => reason)
    far.abort(new Error('no'))
    const reason = await closing
    expect(reason).not.toBeInstanceOf(Error)
    expect(reason).toMatchObject({ type: 'close' })
    expect(asError(reason)).toBeInstanceOf(Error)
    expect(asError(undefined)).toBeInstanceOf(Error)
  })
})

describe('connections from one host', () => {
  const DIALERS = 12

  it('in the library: more than five a second are refused', async () => {
    const listener = await createRaw()
    cleanup.push(() => listener.stop())
    const dialers = await Promise.all(
      Array.from({ length: DIALERS }, () => createRaw({ listen: false }))
    )
    cleanup.push(() => Promise.all(dialers.map((dialer: Libp2p) => dialer.stop())))
    const outcomes = await Promise.allSettled(
      dialers.map((dialer) => dialer.dial(listener.getMultiaddrs()))
    )
    const connected = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(connected.length).toBeLessThan(DIALERS)
  })

  it('ours takes a household, or a test, behind one address', async () => {
    const relay = await startNetwork({ profile: 'relay' })
    cleanup.push(() => relay.stop())
    relay.rpc.serve(echo, async (request) => request)
    const clients: Network[] = await Promise.all(
      Array.from({ length: DIALERS }, () => startNetwork({ listen: [] }))
    )
    cleanup.push(() => Promise.all(clients.map((client) => client.stop())))
    const answers = await Promise.all(
      clients.map((client) => client.rpc.request(addressOf(relay), echo, bytes('x')))
    )
    expect(answers).toHaveLength(DIALERS)
  })
})

describe('a window update for every data frame', () => {
  /** Frames that the reader sends while it receives `count` small ones, one at a time. */
  async function framesSentBack(
    near: YamuxStream,
    far: YamuxStream,
    count: number
  ): Promise<number> {
    let framesSent = 0
    const sendFrame = far.sendFrame.bind(far)
    far.sendFrame = (...frame) => {
      framesSent += 1
      return sendFrame(...frame)
    }
    let receivedBytes = 0
    far.addEventListener('message', ({ data }) => {
      receivedBytes += data.byteLength
    })
    for (let sent = 1; sent <= count; sent += 1) {
      near.send(new Uint8Array(100))
      await until(() => receivedBytes === sent * 100)
    }
    return framesSent
  }

  it('in the library: as many as there are messages', async () => {
    const { near, far } = await pair()
    expect(await framesSentBack(near, far, 20)).toBe(20)
  })

  it('ours only when half a window was used', async () => {
    const { near, far } = await pair()
    const { ours, state } = attachOurs(far)
    far.addEventListener('message', ({ data }) => ours.release(data.byteLength))
    expect(await framesSentBack(near, far, 20)).toBe(0)
    expect(state.receivedBytes).toBe(2_000)
    near.send(new Uint8Array(130 * KIB))
    await until(() => state.receivedBytes === 2_000 + 130 * KIB)
    while (!near.writableNeedsDrain) near.send(CHUNK)
    // More than one initial window arrives: the update did go out.
    await until(() => state.receivedBytes > 256 * KIB)
  })
})

describe('one write for each part of a message', () => {
  it('in the library: a message is several writes to the socket; ours is one', async () => {
    const writes = { raw: 0, ours: 0 }
    const { Socket } = await import('node:net')
    const original = Socket.prototype.write
    cleanup.push(() => {
      Socket.prototype.write = original
    })
    const count = (key: keyof typeof writes) => {
      Socket.prototype.write = function (this: InstanceType<typeof Socket>, ...given: unknown[]) {
        writes[key] += 1
        return (original as (...rest: unknown[]) => boolean).apply(this, given)
      } as typeof original
    }
    const { near, far } = await pair()
    let receivedBytes = 0
    far.addEventListener('message', ({ data }) => {
      receivedBytes += data.byteLength
    })
    far.sendPause()
    count('raw')
    near.send(new Uint8Array(2_000))
    await until(() => receivedBytes === 2_000)

    const server = await startNetwork({ profile: 'relay' })
    const client = await startNetwork({ listen: [] })
    cleanup.push(() => Promise.all([server.stop(), client.stop()]))
    server.rpc.serve(echo, async (request) => request)
    await client.rpc.request(addressOf(server), echo, bytes('x'))
    count('ours')
    for (let index = 0; index < 10; index += 1) {
      await client.rpc.request(addressOf(server), echo, new Uint8Array(2_000))
    }
    expect(writes.raw).toBeGreaterThanOrEqual(3)
    // A request and its answer.
    expect(writes.ours).toBe(20)
  })
})

describe('an exception for each piece of input', () => {
  /** What Noise's reader throws when it looks for a message that has not arrived. */
  function thrownBy(connection: object): unknown {
    const inside = connection as {
      muxer: { maConn: { decoder: { lengthDecoder(data: Uint8ArrayList): number } } }
    }
    const { decoder } = inside.muxer.maConn
    expect(decoder.lengthDecoder(new Uint8ArrayList(Uint8Array.of(1, 2)))).toBe(258)
    try {
      decoder.lengthDecoder(new Uint8ArrayList())
    } catch (error) {
      return error
    }
    return undefined
  }

  it('in the library: a new error with its stack trace each time; ours is always the same', async () => {
    const raw = await pair()
    expect(thrownBy(raw.connection)).toBeInstanceOf(RangeError)
    expect(thrownBy(raw.connection)).not.toBe(thrownBy(raw.connection))

    const [near, far] = await Promise.all(
      [cheapNoise(), cheapNoise()].map((encrypter) => createRaw({ encrypter }))
    )
    cleanup.push(() => Promise.all([near?.stop(), far?.stop()]))
    const ours = (await near?.dial(far?.getMultiaddrs() ?? [])) as object
    expect(thrownBy(ours)).toBeInstanceOf(RangeError)
    expect(thrownBy(ours)).toBe(thrownBy(ours))
  })
})
