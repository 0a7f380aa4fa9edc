// Valid frames without any sense, against both sides of a stream.
import { ProtocolError } from '@kith/protocols'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { KIND } from '../../src/kernel/frame-codec.ts'
import { RateLimiter, silentLog } from '../../src/kernel/index.ts'
import { ClientLane } from '../../src/kernel/rpc/client.ts'
import { ServerLane } from '../../src/kernel/rpc/server.ts'
import type { Service } from '../../src/kernel/rpc/service.ts'
import { FakeClock, settled } from '../../src/testing/index.ts'
import { createPair, method, Rogue, remote } from './rogue.ts'
import { bytes, echo, feed } from './rpc-fixture.ts'

let clock: FakeClock

beforeEach(() => {
  clock = new FakeClock()
})

describe('any frames in any order', () => {
  const anyFrame = fc.record({
    kind: fc.constantFrom(...Object.values(KIND)),
    id: fc.integer({ min: 0, max: 4 }),
    method: fc.constantFrom(undefined, method(echo), method(feed), bytes('/kith/test/other/1.0.0')),
    body: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
    status: fc.option(fc.nat(20), { nil: undefined }),
    credit: fc.option(fc.nat(), { nil: undefined })
  })
  const anyFrames = fc.array(anyFrame, { minLength: 1, maxLength: 30 })

  it('leave a server with at most one end, and everything it ran told so', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrames, async (outgoing) => {
        const running = new Set<AbortSignal>()
        const services = new Map<string, Service>([
          [echo.id, { kind: 'request', protocol: echo, handler: async (body) => body }],
          [
            feed.id,
            {
              kind: 'subscription',
              protocol: feed,
              handler: async (_request, publisher, { signal }) => {
                running.add(signal)
                await publisher.push(new Uint8Array(10))
                await new Promise((_resolve, reject) =>
                  signal.addEventListener('abort', () => reject(signal.reason))
                )
              }
            }
          ]
        ])
        const ends: unknown[] = []
        const [near, far] = createPair()
        const lane = new ServerLane(near, remote, {
          clock,
          defer: queueMicrotask,
          log: silentLog,
          limiter: new RateLimiter(),
          services,
          onAnswered: () => {},
          onEnd: () => ends.push('end')
        })
        new Rogue(far).write(...outgoing)
        await settled()
        expect(ends.length).toBeLessThanOrEqual(1)
        lane.close()
        await settled()
        expect(ends).toHaveLength(1)
        expect([...running].every(({ aborted }) => aborted)).toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  it('settle everything that a client waits for, at the latest with the stream', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrames, async (outgoing) => {
        const [near, far] = createPair()
        let ends = 0
        const lane = new ClientLane(near, {
          clock,
          defer: queueMicrotask,
          onEnd: () => {
            ends += 1
          }
        })
        const answered = lane.request(echo, bytes('x'), undefined)
        const items = lane.subscribe(feed, bytes('x'), new AbortController().signal)
        const drained = (async () => {
          for await (const item of items) items.acknowledge(item.slice(0, 10))
        })()
        const all = Promise.allSettled([answered, drained])
        new Rogue(far).write(...outgoing)
        await settled()
        lane.close()
        const results = await all
        expect(ends).toBe(1)
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 300 }
    )
  })
})
