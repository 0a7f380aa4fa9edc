// What every protocol can rely on, over the memory network: answers, refusals, limits, time-outs, loss.
import { type Caller, defineProtocol, MIB, ProtocolError } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Log, LogFields, Network } from '../../src/kernel/index.ts'
import {
  createMemoryNetworks,
  FakeClock,
  type MemoryNetworks,
  settled
} from '../../src/testing/index.ts'
import { addressOf, bytes, echo, text } from './rpc-fixture.ts'

const logged: { event: string; fields: LogFields | undefined }[] = []
const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (event, fields) => void logged.push({ event, fields })
}

let clock: FakeClock
let networks: MemoryNetworks
let server: Network
let client: Network

function world(chunkBytes: number): void {
  logged.length = 0
  clock = new FakeClock()
  networks = createMemoryNetworks({ clock, log, chunkBytes })
  server = networks.join({ publicKey: new Uint8Array(32).fill(1) })
  client = networks.join({ publicKey: new Uint8Array(32).fill(2) })
}

beforeEach(() => world(7))

const ask = (message: string, signal?: AbortSignal) =>
  client.rpc.request(addressOf(server), echo, bytes(message), { signal })

const forever = () => new Promise<never>(() => {})

describe('a request', () => {
  it('is answered, whatever the pieces it arrives in', async () => {
    for (const chunkBytes of [1, 2, 3, 1_000]) {
      world(chunkBytes)
      server.rpc.serve(echo, async (request) => request)
      const large = new Uint8Array(4_000).map((_, index) => index % 251)
      const [small, back] = await Promise.all([
        ask('hello'),
        client.rpc.request(addressOf(server), echo, large)
      ])
      expect(text(small)).toBe('hello')
      expect(back).toEqual(large)
    }
  })

  it('tells the handler who asks', async () => {
    let seen: Caller | undefined
    server.rpc.serve(echo, async (request, caller) => {
      seen = caller
      return request
    })
    await ask('x')
    expect(seen?.device).toBe(client.id)
    expect(seen?.publicKey).toEqual(client.publicKey)
  })

  it('to a protocol that is not served is refused, naming the protocol', async () => {
    await expect(ask('x')).rejects.toMatchObject({
      code: 'unknown-protocol',
      detail: `the peer does not serve ${echo.id}`
    })
  })

  it('is no longer answered once the serving ended, and can be served again', async () => {
    const end = server.rpc.serve(echo, async () => bytes('first'))
    expect(() => server.rpc.serve(echo, async () => bytes('twice'))).toThrow('served already')
    end()
    await expect(ask('x')).rejects.toMatchObject({ code: 'unknown-protocol' })
    server.rpc.serve(echo, async () => bytes('second'))
    expect(text(await ask('x'))).toBe('second')
  })

  it('whose handler throws before its first await is refused like any other', async () => {
    server.rpc.serve(echo, () => {
      throw new ProtocolError('quota', 'full', { retryAfterMs: 1_500 })
    })
    await expect(ask('x')).rejects.toMatchObject({
      code: 'quota',
      detail: 'full',
      retryAfterMs: 1_500
    })
  })

  it('whose handler fails learns nothing, and the failure is logged without its message', async () => {
    server.rpc.serve(echo, async () => {
      throw new TypeError('a contact is called Alice')
    })
    await expect(ask('x')).rejects.toMatchObject({ code: 'internal', detail: echo.id })
    expect(logged).toEqual([
      { event: 'handler failed', fields: { method: echo.id, name: 'TypeError' } }
    ])
  })

  it('does not pass on statements about our own connections as if they were about this one', async () => {
    server.rpc.serve(echo, async () => {
      throw new ProtocolError('unreachable', 'the next relay')
    })
    await expect(ask('x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('over its size is refused by either side before it is decoded', async () => {
    const served = server.rpc.serve(echo, async (request) => request)
    await expect(
      client.rpc.request(addressOf(server), echo, new Uint8Array(64 * 1_024 + 1))
    ).rejects.toMatchObject({ code: 'too-large' })
    served()
    const strict = { ...echo, limits: { ...echo.limits, requestBytes: 10 } }
    server.rpc.serve(strict, async (request) => request)
    await expect(ask('longer than ten bytes')).rejects.toMatchObject({ code: 'too-large' })
  })

  it('of a protocol whose limits no frame holds is neither served nor sent', async () => {
    const huge = { ...echo, limits: { ...echo.limits, requestBytes: 2 * MIB } }
    expect(() => server.rpc.serve(huge, async (request) => request)).toThrow('requestBytes')
    server.rpc.serve(echo, async (request) => request)
    await ask('open')
    await expect(
      client.rpc.request(addressOf(server), huge, new Uint8Array(MIB + 1))
    ).rejects.toMatchObject({ code: 'too-large' })
  })

  it('with an answer over its size fails on the side that answers', async () => {
    server.rpc.serve(echo, async () => new Uint8Array(64 * 1_024 + 1))
    await expect(ask('x')).rejects.toMatchObject({ code: 'internal' })
    expect(logged).toHaveLength(1)
  })

  it('that does not decode is malformed and does not reach the handler', async () => {
    const picky = defineProtocol<string, string>({
      id: '/kith/test/picky/1.0.0',
      lane: 'control',
      request: {
        encode: bytes,
        decode: () => {
          throw new Error('no')
        }
      },
      response: { encode: bytes, decode: text },
      limits: echo.limits
    })
    server.rpc.serve(picky, forever)
    await expect(client.rpc.request(addressOf(server), picky, 'x')).rejects.toMatchObject({
      code: 'malformed'
    })
  })
})

describe('time', () => {
  it('ends a request that nobody answers, at its time-out and not before', async () => {
    let signal: AbortSignal | undefined
    server.rpc.serve(echo, (_request, caller) => {
      signal = caller.signal
      return forever()
    })
    networks.hold(server.id, client.id)
    const asked = ask('x').catch((error: unknown) => error)
    await settled()
    await clock.advance(4_999)
    expect(await Promise.race([asked, 'pending'])).toBe('pending')
    await clock.advance(1)
    expect(await asked).toMatchObject({ code: 'timeout' })
    expect(signal).toBeUndefined()
  })

  it('ends a handler that takes too long: the caller hears of it, its signal is aborted', async () => {
    let signal: AbortSignal | undefined
    server.rpc.serve(echo, (_request, caller) => {
      signal = caller.signal
      return forever()
    })
    const patient = { ...echo, limits: { ...echo.limits, timeoutMs: 60_000 } }
    const asked = client.rpc.request(addressOf(server), patient, bytes('x')).catch((error) => error)
    await clock.advance(5_000)
    expect(await asked).toMatchObject({ code: 'unavailable', detail: 'not done in time' })
    expect(signal?.aborted).toBe(true)
  })

  it('closes a stream without exchanges after a minute, and the next request opens another', async () => {
    server.rpc.serve(echo, async (request) => request)
    await ask('x')
    await clock.advance(30_000)
    await ask('y')
    await clock.advance(59_000)
    expect(clock.pendingTimers).toBeGreaterThan(0)
    await clock.advance(61_000)
    expect(clock.pendingTimers).toBe(0)
    expect(text(await ask('z'))).toBe('z')
  })
})

describe('giving up', () => {
  it('rejects with the reason of the signal and aborts the handler', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    server.rpc.serve(echo, (_request, caller) => {
      caller.signal.addEventListener('abort', () => resolve())
      return forever()
    })
    const controller = new AbortController()
    const asked = ask('x', controller.signal).catch((error: unknown) => error)
    await settled()
    controller.abort(new Error('changed my mind'))
    expect(await asked).toMatchObject({ message: 'changed my mind' })
    await aborted
  })

  it('before the start asks nobody', async () => {
    let asked = 0
    server.rpc.serve(echo, async (request) => {
      asked += 1
      return request
    })
    await expect(ask('x', AbortSignal.abort(new Error('never')))).rejects.toThrow('never')
    await ask('y')
    await expect(ask('x', AbortSignal.abort(new Error('never')))).rejects.toThrow('never')
    expect(asked).toBe(1)
  })

  it('of one caller does not end the dial that another shares', async () => {
    server.rpc.serve(echo, async (request) => request)
    const controller = new AbortController()
    const first = ask('x', controller.signal).catch((error: unknown) => error)
    const second = ask('y')
    controller.abort(new Error('left'))
    expect(await first).toMatchObject({ message: 'left' })
    expect(text(await second)).toBe('y')
  })
})

describe('loss', () => {
  it('of the stream fails what is pending as unreachable, and the next request dials again', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>()
    let aborted = false
    server.rpc.serve(echo, async (request, caller) => {
      caller.signal.addEventListener('abort', () => {
        aborted = true
      })
      if (text(request) === 'wait') await release
      return request
    })
    const pending = ask('wait').catch((error: unknown) => error)
    await settled()
    networks.cut(server.id, client.id)
    expect(await pending).toMatchObject({ code: 'unreachable', detail: 'the connection was lost' })
    expect(aborted).toBe(true)
    await expect(ask('x')).rejects.toMatchObject({ code: 'unreachable' })
    networks.heal(server.id, client.id)
    expect(text(await ask('again'))).toBe('again')
    resolve()
  })

  it('is told to whoever listens, once for each change', async () => {
    const changes: unknown[] = []
    const stop = client.onConnection((change) => changes.push(change))
    server.rpc.serve(echo, async (request) => request)
    await ask('x')
    await ask('y')
    networks.cut(server.id, client.id)
    networks.heal(server.id, client.id)
    await ask('z')
    stop()
    networks.cut(server.id, client.id)
    expect(changes).toEqual([
      { peer: server.id, connected: true },
      { peer: server.id, connected: false },
      { peer: server.id, connected: true }
    ])
  })

  it('an address that leads to somebody else is unreachable', async () => {
    const other = networks.join({ publicKey: new Uint8Array(32).fill(3) })
    server.rpc.serve(echo, async (request) => request)
    const wrong = { id: other.id, addresses: server.addresses() }
    await expect(client.rpc.request(wrong, echo, bytes('x'))).rejects.toMatchObject({
      code: 'unreachable'
    })
    const nobody = { id: 'not a peer id', addresses: server.addresses() }
    await expect(client.rpc.request(nobody, echo, bytes('x'))).rejects.toMatchObject({
      code: 'malformed'
    })
  })
})

describe('limits', () => {
  it('of calls per peer refuse with the time to wait, across reconnections', async () => {
    const rare = { ...echo, limits: { ...echo.limits, perPeer: { count: 2, windowMs: 10_000 } } }
    server.rpc.serve(rare, async (request) => request)
    const call = () => client.rpc.request(addressOf(server), rare, bytes('x'))
    await call()
    await call()
    await expect(call()).rejects.toMatchObject({ code: 'rate-limited', retryAfterMs: 5_000 })
    networks.cut(server.id, client.id)
    networks.heal(server.id, client.id)
    await expect(call()).rejects.toMatchObject({ code: 'rate-limited' })
    await clock.advance(5_000)
    await call()
    await expect(call()).rejects.toMatchObject({ code: 'rate-limited' })
  })

  it('of calls per peer are of that peer alone', async () => {
    const rare = { ...echo, limits: { ...echo.limits, perPeer: { count: 1, windowMs: 10_000 } } }
    server.rpc.serve(rare, async (request) => request)
    const other = networks.join({ publicKey: new Uint8Array(32).fill(3) })
    for (const network of [client, other]) {
      await network.rpc.request(addressOf(server), rare, bytes('x'))
    }
    await expect(client.rpc.request(addressOf(server), rare, bytes('x'))).rejects.toMatchObject({
      code: 'rate-limited'
    })
  })

  it('of requests in flight make further ones wait, not fail', async () => {
    let running = 0
    let runningMax = 0
    const release: (() => void)[] = []
    server.rpc.serve(echo, async (request) => {
      running += 1
      runningMax = Math.max(runningMax, running)
      await new Promise<void>((resolve) => release.push(resolve))
      running -= 1
      return request
    })
    const asked = Array.from({ length: 2_000 }, (_, index) => ask(`${index}`))
    for (let done = 0; done < 2_000; ) {
      await settled()
      for (const one of release.splice(0)) {
        one()
        done += 1
      }
    }
    const answers = (await Promise.all(asked)).map(text)
    expect(answers).toEqual(answers.map((_, index) => `${index}`))
    // 64 KiB of answer are allowed to each, 8 MiB to all.
    expect(runningMax).toBe(128)
  })
})

it('a network that stopped fails what is pending on both sides', async () => {
  server.rpc.serve(echo, forever)
  const asked = ask('x').catch((error: unknown) => error)
  await settled()
  await server.stop()
  expect(await asked).toMatchObject({ code: 'unreachable' })
  await client.stop()
  await expect(ask('x')).rejects.toMatchObject({ code: 'unreachable' })
})
