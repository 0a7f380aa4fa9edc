// Rates of accounts and of hosts that make accounts.
import { MemoryDisk } from '@kith/node/kernel'
import { FakeClock } from '@kith/node/testing'
import { afterEach, expect, it } from 'vitest'
import { DEFAULT_CONFIG } from '../../src/config/index.ts'
import { Rates } from '../../src/limits/rates.ts'
import { Device, randomEnvelope, startOnDisk, tcpWire } from '../people.ts'
import { startWorld } from '../world.ts'
import { portOf, startProxy } from './flood.ts'

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const limited = (detail: string) => ({
  code: 'rate-limited',
  detail,
  retryAfterMs: expect.any(Number)
})

it('an account sends ten seconds of its rate at once, then is told when to go on', async () => {
  const world = await startWorld({ limits: { accountAppendsPerSecond: 2 } })
  const device = await world.join()
  const sent = await Promise.allSettled(
    Array.from({ length: 30 }, () => device.append(randomEnvelope()))
  )
  expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
  await expect(device.append(randomEnvelope())).rejects.toMatchObject(limited('account-appends'))
  const other = await world.join()
  expect(await other.append(randomEnvelope())).toBe(1)
})

it('a message to many costs as many', async () => {
  const world = await startWorld({ limits: { accountPlacementsPerSecond: 1 } })
  const [alice, bob] = [await world.join(), await world.join()]
  await bob.configure()
  const targets = (bytes: Uint8Array) => Array.from({ length: 6 }, () => bob.targetFor(bytes))
  for (let turn = 0; turn < 2; turn += 1) {
    const envelope = randomEnvelope()
    await alice.append(envelope, ...targets(envelope))
  }
  const envelope = randomEnvelope()
  await expect(alice.append(envelope, ...targets(envelope))).rejects.toMatchObject(
    limited('account-placements')
  )
})

it('10,000 registrations of one host let few through, and other hosts all of theirs', async () => {
  const clock = new FakeClock()
  const rates = new Rates(DEFAULT_CONFIG.limits, clock)
  let passed = 0
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    await clock.advance(6)
    try {
      rates.register('203.0.113.7')
      passed += 1
    } catch (error) {
      expect(error).toMatchObject(limited('registrations'))
    }
  }
  // A minute: 3 at once and about 10 more.
  expect(passed).toBeGreaterThan(10)
  expect(passed).toBeLessThan(14)
  for (let host = 1; host <= 250; host += 1) rates.register(`198.51.100.${host}`)
})

it('over TCP, registrations are counted for the address they come from', async () => {
  const wire = tcpWire()
  const relay = await startOnDisk(new MemoryDisk(), { wire })
  stops.push(() => relay.stop())
  const join = async (proxy: { address: string }) => {
    const device = await Device.connect(wire, relay.joinLink)
    stops.push(() => device.stop())
    device.relay = { ...device.relay, addresses: [proxy.address] }
    return device.register()
  }
  const [here, there] = [
    await startProxy(portOf(relay.addresses), '127.7.0.1'),
    await startProxy(portOf(relay.addresses), '127.8.0.1')
  ]
  stops.push(
    () => here.stop(),
    () => there.stop()
  )
  for (let index = 0; index < 3; index += 1) expect(await join(here)).toBe(1)
  await expect(join(here)).rejects.toMatchObject(limited('registrations'))
  expect(await join(there)).toBe(1)
})
