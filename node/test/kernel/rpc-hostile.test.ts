// A peer that does not keep to the protocol, on either side of a stream: it costs its own stream, bounded
// memory, and nothing of anybody else.
import { frame as frames, KIB, MIB, type Publisher } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import { KIND, type OutgoingFrame } from '../../src/kernel/frame-codec.ts'
import { STALL_MS } from '../../src/kernel/framing.ts'
import { RateLimiter, silentLog } from '../../src/kernel/index.ts'
import { ClientLane } from '../../src/kernel/rpc/client.ts'
import {
  ACCEPTOR_IDLE_MS,
  FIRST_REQUEST_MS,
  PROBE_TIMEOUT_MS
} from '../../src/kernel/rpc/limits.ts'
import { ServerLane } from '../../src/kernel/rpc/server.ts'
import type { Service } from '../../src/kernel/rpc/service.ts'
import { FakeClock, settled } from '../../src/testing/index.ts'
import { createPair, method, Rogue, remote, WINDOW_BYTES } from './rogue.ts'
import { bytes, echo, feed } from './rpc-fixture.ts'

let clock: FakeClock
let services: Map<string, Service>
let rogue: Rogue

beforeEach(() => {
  clock = new FakeClock()
  services = new Map()
})

describe('a server', () => {
  let ended: number

  function accept(isReading = true): void {
    ended = 0
    const [near, far] = createPair()
    new ServerLane(near, remote, {
      clock,
      defer: queueMicrotask,
      log: silentLog,
      limiter: new RateLimiter(),
      services,
      onAnswered: () => {},
      onEnd: () => {
        ended += 1
      }
    })
    rogue = new Rogue(far, isReading)
  }

  it('reads no further from a peer that takes no answers, holds little, and gives it up in time', async () => {
    let handled = 0
    services.set(echo.id, {
      kind: 'request',
      protocol: echo,
      handler: async () => {
        handled += 1
        return new Uint8Array(32 * KIB)
      }
    })
    accept(false)
    for (let id = 1; id <= 5_000; id += 1) {
      rogue.write({ kind: KIND.request, id, method: method(echo), body: new Uint8Array(1_000) })
      if (id % 100 === 0) await settled()
    }
    await settled()
    // 1 MiB of queue, the window, and what runs at the moment the queue fills (8 MiB of allowance).
    expect(handled * 32 * KIB).toBeLessThan(11 * MIB)
    expect(rogue.receivedBytes).toBeLessThanOrEqual(WINDOW_BYTES + 64 * KIB)
    // What it still sends piles up on its own side.
    expect(rogue.stream.aheadBytes).toBeGreaterThan(WINDOW_BYTES)
    expect(ended).toBe(0)
    await clock.advance(STALL_MS)
    expect(ended).toBe(1)
    expect(rogue.end).toBeInstanceOf(Error)
  })

  it('goes on reading once answers are taken', async () => {
    let handled = 0
    services.set(echo.id, {
      kind: 'request',
      protocol: echo,
      handler: async () => {
        handled += 1
        return new Uint8Array(32 * KIB)
      }
    })
    accept(false)
    for (let id = 1; id <= 600; id += 1)
      rogue.write({ kind: KIND.request, id, method: method(echo) })
    await settled()
    expect(handled).toBeLessThan(600)
    rogue.isReading = true
    rogue.stream.release(rogue.receivedBytes)
    await settled()
    expect(handled).toBe(600)
  })

  it('counts a handler that hangs until it returns, so that hanging ones are bounded', async () => {
    let running = 0
    services.set(echo.id, {
      kind: 'request',
      protocol: echo,
      handler: () => {
        running += 1
        return new Promise(() => {})
      }
    })
    accept()
    for (let id = 1; id <= 5_000; id += 1)
      rogue.write({ kind: KIND.request, id, method: method(echo) })
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(echo.limits.timeoutMs)
    expect(running).toBe(128)
    expect(rogue.frames.filter(({ status }) => status === 9)).toHaveLength(128)
  })

  const violations: [string, OutgoingFrame[]][] = [
    ['answers', [{ kind: KIND.response, id: 1 }]],
    ['sends items', [{ kind: KIND.item, id: 1 }]],
    [
      'numbers two running exchanges alike',
      [
        { kind: KIND.subscribe, id: 1, method: method(feed), credit: 1 },
        { kind: KIND.subscribe, id: 1, method: method(feed), credit: 1 }
      ]
    ],
    ['sends a frame without a kind', [{ kind: 0 as never, id: 1 }]],
    ['sends a frame of an unknown kind', [{ kind: 9 as never, id: 1 }]]
  ]
  it.each(violations)('loses the stream of a peer that %s', async (_name, outgoing) => {
    services.set(feed.id, {
      kind: 'subscription',
      protocol: feed,
      handler: () => new Promise(() => {})
    })
    accept()
    rogue.write(...outgoing)
    await settled()
    expect(ended).toBe(1)
    expect(rogue.end).toBeInstanceOf(Error)
  })

  it('ignores credit and ends for exchanges that it does not know', async () => {
    accept()
    rogue.write({ kind: KIND.credit, id: 7, credit: 10 }, { kind: KIND.end, id: 8 })
    await settled()
    expect(ended).toBe(0)
  })

  it('refuses a subscription as a request and a request as a subscription', async () => {
    services.set(echo.id, { kind: 'request', protocol: echo, handler: async (body) => body })
    services.set(feed.id, { kind: 'subscription', protocol: feed, handler: async () => {} })
    accept()
    rogue.write(
      { kind: KIND.request, id: 1, method: method(feed) },
      { kind: KIND.subscribe, id: 2, method: method(echo) }
    )
    await settled()
    expect(rogue.frames.map(({ kind, status }) => [kind, status])).toEqual([
      [frames.FrameKind.RESPONSE, 3],
      [frames.FrameKind.END, 3]
    ])
  })

  it('gives no more than its own credit whatever the subscriber claims', async () => {
    let sent = 0
    services.set(feed.id, {
      kind: 'subscription',
      protocol: feed,
      handler: async (_request, publisher: Publisher<Uint8Array, Uint8Array>) => {
        for (;;) {
          await publisher.push(new Uint8Array(60_000))
          sent += 1
        }
      }
    })
    accept(false)
    rogue.write({ kind: KIND.subscribe, id: 1, method: method(feed), credit: 0xffffffff })
    for (let index = 0; index < 50; index += 1) {
      rogue.write({ kind: KIND.credit, id: 1, credit: 0xffffffff })
    }
    await settled()
    // The write queue's high mark and the window hold it, not the credit it was promised.
    expect(sent * 60_000).toBeLessThan(MIB + WINDOW_BYTES + 2 * 64 * KIB)
  })

  it('gives room in turn to publishers that share a stream', async () => {
    const sent = [0, 0, 0]
    services.set(feed.id, {
      kind: 'subscription',
      protocol: feed,
      handler: async (request: Uint8Array, publisher: Publisher<Uint8Array, Uint8Array>) => {
        const index = request[0] ?? 0
        for (;;) {
          await publisher.push(new Uint8Array(30_000))
          sent[index] = (sent[index] ?? 0) + 1
        }
      }
    })
    accept()
    for (const index of [0, 1, 2]) {
      const body = Uint8Array.of(index)
      rogue.write({
        kind: KIND.subscribe,
        id: index + 1,
        method: method(feed),
        body,
        credit: 0xfffff
      })
    }
    for (let turn = 0; turn < 40; turn += 1) {
      for (const id of [1, 2, 3]) rogue.write({ kind: KIND.credit, id, credit: 0xfffff })
      await settled()
    }
    expect(Math.min(...sent)).toBeGreaterThan(0.5 * Math.max(...sent))
  })

  it('ends a stream on which nothing was ever asked for', async () => {
    accept()
    await clock.advance(FIRST_REQUEST_MS - 1)
    expect(ended).toBe(0)
    await clock.advance(1)
    expect(ended).toBe(1)
  })

  it('ends a stream on which nothing was asked for ten minutes', async () => {
    accept()
    rogue.write({ kind: KIND.request, id: 1, method: method(echo) })
    await settled()
    await clock.advance(ACCEPTOR_IDLE_MS - 1)
    expect(ended).toBe(0)
    await clock.advance(1)
    expect(ended).toBe(1)
  })
})

describe('a client', () => {
  let lane: ClientLane
  let ended: number

  function connect(): void {
    ended = 0
    const [near, far] = createPair()
    lane = new ClientLane(near, {
      clock,
      defer: queueMicrotask,
      onEnd: () => {
        ended += 1
      }
    })
    rogue = new Rogue(far)
  }

  const outcome = (promise: Promise<unknown>) =>
    promise.then(
      (value) => value,
      (error: unknown) => error
    )

  it('loses the stream of a publisher that sends beyond its credit', async () => {
    connect()
    const items = lane.subscribe(feed, bytes(''), new AbortController().signal)
    for (let index = 0; index < 20; index += 1) {
      rogue.write({ kind: KIND.item, id: 1, body: new Uint8Array(64_000) })
    }
    await settled()
    expect(ended).toBe(1)
    let taken = 0
    const failure = await outcome(
      (async () => {
        for await (const _item of items) taken += 1
      })()
    )
    expect(failure).toMatchObject({ code: 'unreachable' })
    expect(taken).toBe(16)
  })

  it('counts empty items too: a flood of them runs out of credit', async () => {
    connect()
    lane.subscribe(feed, bytes(''), new AbortController().signal)
    for (let index = 0; index < 20_000; index += 1) rogue.write({ kind: KIND.item, id: 1 })
    await settled()
    expect(ended).toBe(1)
  })

  it('loses the stream of a publisher whose item is larger than declared', async () => {
    connect()
    const items = lane.subscribe(feed, bytes(''), new AbortController().signal)
    rogue.write({ kind: KIND.item, id: 1, body: new Uint8Array(64 * KIB + 1) })
    const next = outcome(items[Symbol.asyncIterator]().next())
    expect(await next).toMatchObject({ code: 'unreachable' })
    expect(ended).toBe(1)
  })

  it('refuses an answer larger than declared', async () => {
    connect()
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    rogue.write({ kind: KIND.response, id: 1, body: new Uint8Array(64 * KIB + 1) })
    expect(await asked).toMatchObject({ code: 'too-large' })
    expect(ended).toBe(0)
  })

  it('shows no text of a peer that is not plain', async () => {
    connect()
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    rogue.write({ kind: KIND.response, id: 1, status: 6, detail: '\u001b[2Jgotcha' })
    expect(await asked).toMatchObject({ code: 'conflict', detail: echo.id })
  })

  it('takes an unknown status for a failure of the other side', async () => {
    connect()
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    rogue.write({ kind: KIND.response, id: 1, status: 4_000_000_000, retryAfterMs: 0xffffffff })
    expect(await asked).toMatchObject({ code: 'internal', retryAfterMs: 86_400_000 })
  })

  const violations: [string, OutgoingFrame[]][] = [
    ['asks', [{ kind: KIND.request, id: 1, method: method(echo) }]],
    ['gives credit', [{ kind: KIND.credit, id: 1, credit: 1 }]],
    ['answers a request with an item', [{ kind: KIND.item, id: 1 }]]
  ]
  it.each(violations)('loses the stream of a peer that %s on it', async (_name, outgoing) => {
    connect()
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    rogue.write(...outgoing)
    expect(await asked).toMatchObject({ code: 'unreachable' })
    expect(ended).toBe(1)
  })

  it('ignores answers to what it does not wait for', async () => {
    connect()
    rogue.write(
      { kind: KIND.response, id: 99 },
      { kind: KIND.item, id: 98 },
      { kind: KIND.end, id: 97 }
    )
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    rogue.write({ kind: KIND.response, id: 1, body: bytes('y') })
    expect(await asked).toEqual(bytes('y'))
  })

  it('asks a peer that is silent while somebody waits, and loses the stream if it stays so', async () => {
    connect()
    const items = lane.subscribe(feed, bytes(''), new AbortController().signal)
    const next = outcome(items[Symbol.asyncIterator]().next())
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(60_000)
      const asked = rogue.frames.filter(
        ({ kind, method: named }) => kind === frames.FrameKind.REQUEST && named === ''
      )
      expect(asked).toHaveLength(minute + 1)
      rogue.write({ kind: KIND.response, id: asked[minute]?.id ?? 0, status: 3 })
      await settled()
    }
    expect(ended).toBe(0)
    await clock.advance(60_000 + PROBE_TIMEOUT_MS)
    expect(ended).toBe(1)
    expect(await next).toMatchObject({ code: 'unreachable' })
  })

  it('asks nothing of a peer that sends items', async () => {
    connect()
    lane.subscribe(feed, bytes(''), new AbortController().signal)
    for (let minute = 0; minute < 5; minute += 1) {
      rogue.write({ kind: KIND.item, id: 1, body: bytes('x') })
      await clock.advance(60_000)
    }
    expect(rogue.frames.map(({ kind }) => kind)).toEqual([frames.FrameKind.SUBSCRIBE])
  })

  it('after a request ran out of time loses the stream only if nothing at all arrives', async () => {
    connect()
    const asked = outcome(lane.request(echo, bytes('x'), undefined))
    await clock.advance(echo.limits.timeoutMs)
    expect(await asked).toMatchObject({ code: 'timeout' })
    rogue.write({ kind: KIND.response, id: 1 })
    await clock.advance(PROBE_TIMEOUT_MS)
    expect(ended).toBe(0)
    const again = outcome(lane.request(echo, bytes('x'), undefined))
    await clock.advance(echo.limits.timeoutMs + PROBE_TIMEOUT_MS)
    expect(await again).toMatchObject({ code: 'timeout' })
    expect(ended).toBe(1)
  })

  it('makes requests to a peer that does not read wait, then fail as unavailable', async () => {
    connect()
    rogue.isReading = false
    const body = new Uint8Array(60_000)
    const asked = Array.from({ length: 100 }, () => outcome(lane.request(echo, body, undefined)))
    await settled()
    expect(lane.queuedBytes).toBeLessThan(MIB + 64 * KIB)
    await clock.advance(echo.limits.timeoutMs)
    const codes = (await Promise.all(asked)).map((error) => (error as { code: string }).code)
    expect(new Set(codes)).toEqual(new Set(['timeout', 'unavailable']))
    expect(codes.filter((code) => code === 'unavailable').length).toBeGreaterThan(70)
  })
})
