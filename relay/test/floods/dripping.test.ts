// Peers that take or give a byte a second, against a relay in a process of its own: what it holds for them, when it
// lets them go, and that it loses nothing of theirs.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeviceId, MIB, SECOND_MS } from '@kith/protocols'
import { afterEach, expect, it } from 'vitest'
import { Device, randomEnvelope, tcpWire } from '../people.ts'
import { type Running, run, startProcess } from '../process.ts'
import { isFull, keepAppending, portOf, quantile, startProxy } from './flood.ts'

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function startRelay(...listen: readonly string[]): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), 'kith-drip-'))
  stops.push(() => rm(home, { recursive: true, force: true }))
  const addresses = listen.flatMap((address) => ['--listen', address])
  const { code, error } = await run([
    'init',
    '--home',
    home,
    '--registration',
    'open',
    ...addresses,
    '--json'
  ])
  if (code !== 0) throw new Error(error)
  const relay = await startProcess(home)
  stops.push(() => relay.end('SIGKILL'))
  return relay
}

async function joinAt(relay: Running, address?: string): Promise<Device> {
  const device = await Device.connect(tcpWire(), relay.joinLink)
  stops.push(() => device.stop())
  if (address !== undefined) device.relay = { ...device.relay, addresses: [address] }
  await device.register()
  return device
}

/** Resident bytes of a process. */
async function residentBytes({ pid }: Running): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s*(\d+) kB/.exec(status)?.[1]) * 1_024
}

const openFiles = async ({ pid }: Running) => (await readdir(`/proc/${pid}/fd`)).length

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const p99 = (latencies: readonly number[]) => `p99 ${quantile(latencies, 0.99).toFixed(1)} ms`

/** Enough that what a process takes and keeps for itself is little beside what it holds for them. */
const READERS = isFull ? 170 : 50
/** 6 MiB for each reader, three times the credit of a subscription: 1 GB in all at full length. */
const COUNT = 100
const CONTENT_BYTES = 60_000
/** reliability.md, B3. */
const READER_BYTES_MAX = 2 * MIB

it('readers of a byte a second cost little memory each, hold up nobody, and lose nothing', {
  timeout: 60_000 + READERS * 1_000
}, async () => {
  const relay = await startRelay('/ip4/127.0.0.1/tcp/0')
  const [sender, honest] = [await joinAt(relay), await joinAt(relay)]
  const port = portOf(sender.relay.addresses)
  const readers: { device: Device; proxy: Awaited<ReturnType<typeof startProxy>> }[] = []
  for (let index = 0; index < READERS; index += 1) {
    const proxy = await startProxy(port, '127.0.0.1')
    stops.push(() => proxy.stop())
    const device = await joinAt(relay, proxy.address)
    await device.configure()
    readers.push({ device, proxy })
  }
  await honest.configure()
  const everybody = [honest, ...readers.map(({ device }) => device)]
  for (let index = 0; index < COUNT; index += 1) {
    const envelope = randomEnvelope(CONTENT_BYTES)
    await sender.append(envelope, ...everybody.map((device) => device.targetFor(envelope)))
  }
  // What reading costs once is not a reader's.
  await (await honest.subscribe()).until(COUNT)
  const alone = keepAppending([honest])
  await pause(3 * SECOND_MS)
  const before = { ...(await alone.stop()), bytes: await residentBytes(relay) }

  const lift = readers.map(({ proxy }) => proxy.drip())
  const arriving = keepAppending([honest])
  // A busy machine may take so long that a connection is lost, and none is made at a byte a second.
  const subscribed = await Promise.allSettled(readers.map(({ device }) => device.subscribe()))
  const reading = subscribed.filter(({ status }) => status === 'fulfilled').length
  expect(reading).toBeGreaterThan(READERS / 2)
  await pause(3 * SECOND_MS)
  const burst = await arriving.stop()
  const beside = keepAppending([honest])
  await pause(5 * SECOND_MS)
  const during = { ...(await beside.stop()), bytes: await residentBytes(relay) }
  const perReader = (during.bytes - before.bytes) / reading
  console.log(
    `B3: ${reading} readers of 1 B/s, ${((COUNT * CONTENT_BYTES) / MIB).toFixed(1)} MiB queued for each: ` +
      `+${(perReader / MIB).toFixed(2)} MiB resident for each; ` +
      `appends of others ${p99(before.latencies)} before, ${p99(burst.latencies)} as they come, ` +
      `${p99(during.latencies)} while they read`
  )
  // Resident memory is not given back at once on a busy machine: the bar is printed, twice as much is a fault.
  expect(perReader).toBeLessThanOrEqual(2 * READER_BYTES_MAX)
  expect([...burst.failures, ...during.failures]).toEqual([])
  for (const end of lift) end()
  // They come back, as those do that a relay has cut.
  for (const { device } of readers.slice(0, 3)) {
    device.network.disconnect(device.relay.relay as string as DeviceId)
    expect(await (await device.subscribe()).until(COUNT)).toHaveLength(COUNT)
  }
})

const DRIPS = isFull ? 5_000 : 1_500
/** Of the drips, how many are opened a second. */
const DRIPS_PER_SECOND = 500
/** Handshakes in progress that a relay keeps; `libp2p-limits.ts`. */
const PENDING_MAX = 200
const GREETING = Buffer.from('\x13/multistream/1.0.0\n')
const HEADERS = Buffer.from('GET / HTTP/1.1\r\nHost: relay\r\nX-Slow: and so on for ever\r\n')

/** A connection that sends one byte a second of what would be a beginning. */
function drip({ port, host, sent }: { port: number; host: number; sent: Buffer }): Socket {
  const localAddress = `127.${1 + Math.floor(host / 250)}.${host % 8}.${1 + (host % 250)}`
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let at = 0
  const timer = setInterval(() => {
    socket.write(sent.subarray(at, at + 1))
    at = (at + 1) % sent.byteLength
  }, SECOND_MS)
  socket.on('error', () => {})
  socket.on('close', () => clearInterval(timer))
  socket.resume()
  stops.push(() => socket.destroy())
  return socket
}

it.each([
  ['TCP', '/ip4/127.0.0.1/tcp/0', GREETING],
  ['WebSockets', '/ip4/127.0.0.1/tcp/0/ws', HEADERS]
])(
  'beginnings of a byte a second over %s take few places, for a while, and nobody else’s',
  {
    timeout: 60_000 + DRIPS * 10
  },
  async (name, listen, sent) => {
    const relay = await startRelay(listen)
    const honest = await joinAt(relay)
    const port = portOf(honest.relay.addresses)
    let losses = 0
    honest.network.onConnection(({ connected }) => {
      if (!connected) losses += 1
    })
    const before = await openFiles(relay)
    const work = keepAppending([honest])
    const sockets: Socket[] = []
    let most = 0
    while (sockets.length < DRIPS) {
      for (let index = 0; index < DRIPS_PER_SECOND / 10; index += 1) {
        sockets.push(drip({ port, host: sockets.length % 1_000, sent }))
      }
      await pause(SECOND_MS / 10)
      most = Math.max(most, (await openFiles(relay)) - before)
    }
    const atEnd = () => sockets.filter(({ closed }) => !closed).length
    const startedAt = performance.now()
    await expect.poll(atEnd, { timeout: 40_000, interval: 250 }).toBe(0)
    const tookMs = performance.now() - startedAt
    const { latencies, failures } = await work.stop()
    const after = (await openFiles(relay)) - before
    console.log(
      `B4: ${DRIPS} drips over ${name}: at most ${most} more open files, all let go ` +
        `${(tookMs / SECOND_MS).toFixed(1)} s after the last, ${after} more open files then; honest ${p99(latencies)}`
    )
    expect(most).toBeLessThanOrEqual(PENDING_MAX + 50)
    expect(after).toBeLessThanOrEqual(10)
    expect(losses).toBe(0)
    expect(failures).toEqual([])
  }
)
