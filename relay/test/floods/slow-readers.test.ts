// Subscribers that stop reading with much still to come: bounded memory, nobody else waits, nothing is lost.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MemoryDisk, systemClock } from '@kith/node/kernel'
import { createMemoryNetworks } from '@kith/node/testing'
import { MIB } from '@kith/protocols'
import { expect, it } from 'vitest'
import { Device, randomEnvelope, startOnDisk, type Wire } from '../people.ts'
import { isFull, quantile } from './flood.ts'

const READERS = isFull ? 1_000 : 100
/** For each reader 6 MiB are queued: three times what a connection may hold. */
const COUNT = 100
const CONTENT_BYTES = 60_000
const PER_READER_BYTES_MAX = 2 * MIB

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const held = () => {
  collectGarbage()
  const { heapUsed, arrayBuffers, external } = process.memoryUsage()
  return heapUsed + Math.max(arrayBuffers, external)
}

it('stalled readers hold little each, others get everything at once, and lose nothing', {
  timeout: 60_000 + READERS * 200
}, async () => {
  const networks = createMemoryNetworks({ clock: systemClock })
  const wire: Wire = { join: async ({ publicKey }) => networks.join({ publicKey }) }
  const relay = await startOnDisk(new MemoryDisk(), { wire })
  const sender = await Device.join(wire, relay.joinLink)
  const quick = await Device.join(wire, relay.joinLink)
  const stalled: Device[] = []
  for (let index = 0; index < READERS; index += 1) {
    stalled.push(await Device.join(wire, relay.joinLink))
  }
  const everybody = [quick, ...stalled]
  try {
    for (const device of everybody) await device.configure()
    const subscriptions = []
    for (const device of stalled) {
      const subscription = await device.subscribe()
      await subscription.next()
      networks.hold(relay.id as never, device.network.id)
      subscriptions.push(subscription)
    }
    const reading = (await quick.subscribe()).until(COUNT)
    const before = held()
    const latencies: number[] = []
    for (let index = 0; index < COUNT; index += 1) {
      const envelope = randomEnvelope(CONTENT_BYTES)
      const startedAt = performance.now()
      for (let at = 0; at < everybody.length; at += 200) {
        const targets = everybody.slice(at, at + 200).map((device) => device.targetFor(envelope))
        await sender.append(envelope, ...targets)
      }
      latencies.push(performance.now() - startedAt)
    }
    expect(await reading).toHaveLength(COUNT)
    const perReader = (held() - before) / READERS
    latencies.sort((a, b) => a - b)
    console.log(
      `${READERS} stalled readers of ${((COUNT * CONTENT_BYTES) / MIB).toFixed(1)} MiB each: ` +
        `${(perReader / MIB).toFixed(2)} MiB held for each, ` +
        `append p99 ${quantile(latencies, 0.99).toFixed(1)} ms`
    )
    expect(perReader).toBeLessThan(PER_READER_BYTES_MAX)
    const [first, last] = [stalled[0], stalled.at(-1)]
    for (const device of [first, last]) {
      if (device === undefined) continue
      networks.heal(relay.id as never, device.network.id)
      const subscription = subscriptions[stalled.indexOf(device)]
      expect(await subscription?.until(COUNT)).toHaveLength(COUNT)
    }
  } finally {
    await Promise.all([sender, ...everybody].map((device) => device.stop()))
    await relay.stop()
  }
})
