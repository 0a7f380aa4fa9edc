// What devices may bring to and take from another directly.
import { deviceIdOf } from '@kith/protocols'
import { beforeEach, expect, it } from 'vitest'
import {
  PACKAGES_EACH,
  PACKAGES_STRANGERS,
  ServeLimits,
  STRANGER_ENVELOPES,
  STRANGERS_ENVELOPES
} from '../../src/direct/serve-limits.ts'
import { FakeClock } from '../../src/testing/index.ts'

const deviceOf = (index: number) => deviceIdOf(new Uint8Array(32).fill(index))
const friend = deviceOf(0)
const limited = { code: 'rate-limited' }

let clock: FakeClock
let limits: ServeLimits

beforeEach(() => {
  clock = new FakeClock()
  limits = new ServeLimits({ clock, isKnown: (device) => device === friend })
})

/** How many of `count` calls pass. */
function passing(count: number, call: (index: number) => void): number {
  let passed = 0
  for (let index = 0; index < count; index += 1) {
    try {
      call(index)
      passed += 1
    } catch (error) {
      expect(error).toMatchObject(limited)
      expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0)
    }
  }
  return passed
}

const one = [new Uint8Array(100)]

it('a contact brings what it likes', () => {
  expect(passing(10_000, () => limits.deliver(friend, one))).toBe(10_000)
})

it('a stranger brings a first contact, and more later', async () => {
  expect(passing(100, () => limits.deliver(deviceOf(1), one))).toBe(STRANGER_ENVELOPES.count)
  await clock.advance(STRANGER_ENVELOPES.windowMs)
  expect(passing(100, () => limits.deliver(deviceOf(1), one))).toBe(STRANGER_ENVELOPES.count)
})

it('a stranger brings no more bytes than that in few envelopes', () => {
  const large = [new Uint8Array(60_000)]
  expect(passing(30, () => limits.deliver(deviceOf(1), large))).toBeLessThan(12)
})

it('many strangers together bring little, and contacts do not notice', () => {
  const passed = passing(200, (index) => limits.deliver(deviceOf(1 + index), [...one, ...one]))
  expect(passed).toBe(STRANGERS_ENVELOPES.count / 2)
  limits.deliver(friend, one)
})

it('key packages are few for each device and for all strangers', () => {
  expect(passing(30, () => limits.takePackage(friend))).toBe(PACKAGES_EACH.count)
  const strangers = passing(200, (index) => limits.takePackage(deviceOf(1 + index)))
  expect(strangers).toBe(PACKAGES_STRANGERS.count)
})
