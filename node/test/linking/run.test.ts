// A link over a line that breaks: both sides keep at it, and give up in time.
import { ProtocolError } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { beginNew, createNewStep } from '../../src/linking/new-device.ts'
import { beginOld, createOldStep, LINK_MS } from '../../src/linking/old-device.ts'
import { type LinkExchange, type LinkMessage, LinkRun } from '../../src/linking/run.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { createNoise } from '../noise.ts'
import { ACCOUNT, BUNDLE, seedsOf } from './pair.ts'

/** A relay in memory that can be made to fail. */
class Mailbox {
  readonly messages = new Map<number, Uint8Array>()
  readonly #wakes = new Set<() => void>()
  failure: ((what: 'put' | 'watch') => ProtocolError | undefined) | undefined

  exchange(): LinkExchange {
    return {
      put: async (message, signal) => {
        signal.throwIfAborted()
        // A message may have arrived although the answer did not.
        this.#keep(message)
        this.#mayFail('put')
      },
      watch: (signal) => this.#watch(signal)
    }
  }

  #keep({ index, sealed }: LinkMessage): void {
    const there = this.messages.get(index)
    if (there !== undefined && Buffer.compare(there, sealed) !== 0) {
      throw new ProtocolError('conflict', 'position-written')
    }
    this.messages.set(index, sealed)
    for (const wake of this.#wakes) wake()
  }

  async *#watch(signal: AbortSignal): AsyncIterable<LinkMessage> {
    this.#mayFail('watch')
    const pushed = new Set<number>()
    while (!signal.aborted) {
      for (const [index, sealed] of this.messages) {
        if (pushed.has(index)) continue
        pushed.add(index)
        yield { index, sealed }
        this.#mayFail('watch')
      }
      await new Promise<void>((resolve) => {
        this.#wakes.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  #mayFail(what: 'put' | 'watch'): void {
    const failure = this.failure?.(what)
    if (failure !== undefined) throw failure
  }
}

const lost = () => new ProtocolError('unreachable', 'gone')

function oldDevice(mailbox: Mailbox, clock: FakeClock) {
  const old = new LinkRun({
    exchange: mailbox.exchange(),
    clock,
    begun: beginOld(
      { seeds: seedsOf(10), account: ACCOUNT, name: 'alice' },
      clock.monotonic(),
      primitives
    ),
    step: createOldStep(primitives),
    perform(effect) {
      if (effect.type === 'compare') old.dispatch({ type: 'answer', isSame: true })
      if (effect.type === 'add') old.dispatch({ type: 'added', bundle: BUNDLE })
    }
  })
  return old
}

function pair(mailbox: Mailbox, clock = new FakeClock()) {
  const old = oldDevice(mailbox, clock)
  const fresh = new LinkRun({
    exchange: mailbox.exchange(),
    clock,
    begun: beginNew(
      { seeds: seedsOf(20), device: primitives.keyPair(new Uint8Array(32).fill(3)), name: 'phone' },
      clock.monotonic()
    ),
    step: createNewStep(primitives),
    perform(effect) {
      if (effect.type === 'compare') fresh.dispatch({ type: 'answer', isSame: true })
      if (effect.type === 'install') fresh.dispatch({ type: 'installed' })
    }
  })
  return { clock, old, fresh }
}

describe('a link', () => {
  test('goes through on a good line', async () => {
    const { clock, old, fresh } = pair(new Mailbox())
    await clock.advance(100)
    expect([await old.ended, await fresh.ended]).toEqual([undefined, undefined])
    expect(clock.pendingTimers).toBe(0)
  })

  test('goes through when every third request or item is lost after it was carried out', async () => {
    const noise = createNoise()
    for (let round = 0; round < 20; round += 1) {
      const mailbox = new Mailbox()
      mailbox.failure = () => (noise.below(3) === 0 ? lost() : undefined)
      const { clock, old, fresh } = pair(mailbox)
      await clock.advance(60_000)
      expect([old.state.isOver, fresh.state.isOver], `seed ${noise.seed}`).toEqual([true, true])
      expect([await old.ended, await fresh.ended]).toEqual([undefined, undefined])
    }
  })

  test.each([
    ['ahead', 1],
    ['back', -1]
  ])(
    'lasts five minutes by the time that passes, though the clock is set ten years %s',
    async (_way, way) => {
      const clock = new FakeClock()
      // Nobody has the code.
      const old = oldDevice(new Mailbox(), clock)
      await clock.advance(60_000)
      clock.shiftWall(way * 10 * 365 * 24 * 3_600_000)
      await clock.advance(LINK_MS - 60_000 - 1_000)
      expect(old.state.isOver).toBe(false)
      await clock.advance(2_000)
      expect(old.state.isOver).toBe(true)
      expect(await old.ended).toBe('expired')
    }
  )

  test('ends on both sides when the relay has gone', async () => {
    const mailbox = new Mailbox()
    mailbox.failure = lost
    const { clock, old, fresh } = pair(mailbox)
    await clock.advance(40_000)
    expect(await old.ended).toBe('unreachable')
    // Nothing of the old device is seen: whether the relay or the code is at fault cannot be known yet.
    expect(['unreachable', 'unknown']).toContain(await fresh.ended)
  })

  test('ends when the relay refuses', async () => {
    const mailbox = new Mailbox()
    mailbox.failure = () => new ProtocolError('quota', 'links-of-device')
    const { clock, old, fresh } = pair(mailbox)
    await clock.advance(10_000)
    expect([await old.ended, await fresh.ended]).toEqual(['failed', 'failed'])
  })

  test('is refused to the second of two devices with one code', async () => {
    const mailbox = new Mailbox()
    mailbox.messages.set(1, new Uint8Array(40))
    const { clock, fresh } = pair(mailbox)
    await clock.advance(1_000)
    expect(await fresh.ended).toBe('used')
  })

  test('expires by the monotonic clock, whatever the wall clock does', async () => {
    const clock = new FakeClock()
    const mailbox = new Mailbox()
    const old = new LinkRun({
      exchange: mailbox.exchange(),
      clock,
      begun: beginOld({ seeds: seedsOf(10), account: ACCOUNT, name: 'alice' }, 0, primitives),
      step: createOldStep(primitives),
      perform() {}
    })
    clock.shiftWall(86_400_000)
    await clock.advance(299_000)
    expect(old.state.isOver).toBe(false)
    await clock.advance(2_000)
    expect(await old.ended).toBe('expired')
  })
})
