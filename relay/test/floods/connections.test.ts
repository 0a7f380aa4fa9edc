// Thousands of connections a second against a relay that serves honest clients meanwhile.
import { MemoryDisk } from '@kith/node/kernel'
import { afterEach, expect, it } from 'vitest'
import { Device, startOnDisk, tcpWire } from '../people.ts'
import { flood, isFull, keepAppending, portOf, quantile, startProxy } from './flood.ts'

const HONEST = isFull ? 200 : 40
const SECONDS = isFull ? 60 : 5
/** 3 s on a machine of its own; tests share theirs. */
const RETURN_MS_MAX = 8_000

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function startRelay() {
  const wire = tcpWire()
  const relay = await startOnDisk(new MemoryDisk(), { wire })
  stops.push(() => relay.stop())
  return { wire, relay, port: portOf(relay.addresses) }
}

async function joinAll(count: number, world: Awaited<ReturnType<typeof startRelay>>) {
  const devices: Device[] = []
  for (let index = 0; index < count; index += 1) {
    const device = await Device.join(world.wire, world.relay.joinLink)
    stops.push(() => device.stop())
    devices.push(device)
  }
  return devices
}

it('2,000 connects a second from 1,000 addresses disconnect nobody who is connected', {
  timeout: 60_000 + SECONDS * 2_000
}, async () => {
  const world = await startRelay()
  const devices = await joinAll(HONEST, world)
  let losses = 0
  for (const device of devices) {
    device.network.onConnection(({ connected }) => {
      if (!connected) losses += 1
    })
  }
  const before = process.memoryUsage().rss
  const work = keepAppending(devices)
  const attack = await flood(world.port, { perSecond: 2_000, seconds: SECONDS, hosts: 1_000 })
  const { latencies, failures } = await work.stop()
  const grownMib = (process.memoryUsage().rss - before) / 2 ** 20
  console.log(
    `flood: ${JSON.stringify(attack)}; ${HONEST} honest: ${latencies.length} appends, ` +
      `p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms, ` +
      `memory +${grownMib.toFixed(0)} MiB`
  )
  expect(attack.started).toBeGreaterThan(1_000 * SECONDS)
  expect(losses).toBe(0)
  expect(failures).toEqual([])
  expect(grownMib).toBeLessThan(400)
})

it('a known device comes back, and a new one registers, while strangers flood', {
  timeout: 60_000
}, async () => {
  const world = await startRelay()
  const [home, away] = await Promise.all(
    ['127.200.0.1', '127.201.0.1'].map((address) => startProxy(world.port, address))
  )
  if (home === undefined || away === undefined) throw new Error('no proxies')
  stops.push(
    () => home.stop(),
    () => away.stop()
  )
  const known = await Device.connect(world.wire, world.relay.joinLink)
  const comer = await Device.connect(world.wire, world.relay.joinLink)
  stops.push(
    () => known.stop(),
    () => comer.stop()
  )
  known.relay = { ...known.relay, addresses: [home.address] }
  comer.relay = { ...comer.relay, addresses: [away.address] }
  await known.register()
  const attack = flood(world.port, { perSecond: 500, seconds: 6, hosts: 1_000 })
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const took: number[] = []
  for (let turn = 0; turn < 3; turn += 1) {
    known.network.disconnect(known.peer.id as never)
    const startedAt = performance.now()
    await known.configure()
    took.push(performance.now() - startedAt)
  }
  const startedAt = performance.now()
  await comer.register()
  took.push(performance.now() - startedAt)
  console.log(`returning and registering under flood: ${took.map((ms) => ms.toFixed(0))} ms`)
  expect(Math.max(...took)).toBeLessThan(RETURN_MS_MAX)
  await attack
})
