// Worker: honest clients of a relay under a flood, who are idle but for some that append, and strangers who
// finish their handshake and then only take up room.
import { systemClock, systemRandom } from '@kith/node/kernel'
import { box, identity, parseJoinLink } from '@kith/protocols'
import { type Device, joinRelay, networkOf, sealedAppend } from './device.ts'
import { serveCommands } from './serve.ts'

const JOINING_AT_ONCE = 10
const APPEND_EVERY_MS = 500
const STRANGER_STAYS_MS = 10_000

const devices: Device[] = []
const latencies: number[] = []
let losses = 0
let failures = 0
let isRunning = false

async function join(joinLink: string): Promise<void> {
  const device = await joinRelay(joinLink)
  devices.push(device)
  device.network.onConnection(({ connected }) => {
    if (!connected) losses += 1
  })
  const start = { storeEpoch: new Uint8Array(0), after: 0 }
  const { signal } = new AbortController()
  const { relay, network } = device
  const items = await network.rpc.subscribe(relay, box.boxSubscribe, start, { signal })
  void (async () => {
    for await (const { storeEpoch, entries } of items) {
      items.acknowledge({ storeEpoch, number: entries.at(-1)?.number ?? 0 })
    }
  })().catch(() => {})
}

async function keepAppending(device: Device): Promise<void> {
  while (isRunning) {
    const startedAt = performance.now()
    try {
      const { request } = sealedAppend(device)
      await device.network.rpc.request(device.relay, box.boxAppend, request)
      latencies.push(performance.now() - startedAt)
    } catch {
      failures += 1
    }
    await new Promise((resolve) => setTimeout(resolve, APPEND_EVERY_MS))
  }
}

async function beStranger(joinLink: string): Promise<void> {
  const { relay, addresses } = parseJoinLink(joinLink)
  const network = await networkOf(systemRandom.bytes(32))
  // Of nobody here.
  const account = systemRandom.bytes(32)
  const peer = { id: relay, addresses }
  await network.rpc.request(peer, identity.identityFetch, { account, from: 0 }).catch(() => {})
  systemClock.schedule(STRANGER_STAYS_MS, () => void network.stop())
}

serveCommands({
  async open({ joinLink, count }: { joinLink: string; count: number }) {
    while (devices.length < count) {
      const left = Math.min(JOINING_AT_ONCE, count - devices.length)
      await Promise.all(Array.from({ length: left }, () => join(joinLink)))
    }
  },
  async start({ active }: { active: number }) {
    isRunning = true
    latencies.length = 0
    for (const device of devices.slice(0, active)) void keepAppending(device)
  },
  async stop() {
    isRunning = false
    latencies.sort((a, b) => a - b)
    const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
    return { losses, failures, appends: latencies.length, p99Ms }
  },
  async strangers(load: { joinLink: string; perSecond: number; seconds: number }) {
    for (let made = 0; made < load.perSecond * load.seconds; made += 1) {
      void beStranger(load.joinLink)
      await new Promise((resolve) => setTimeout(resolve, 1_000 / load.perSecond))
    }
  }
})
