// Peers that flood or lie below our own frames: in libp2p's handshake, its multiplexer and its WebSockets.
import { type AddressInfo, connect, createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deviceIdOf, frame as frames } from '@kith/protocols'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { createNetwork } from '../../src/kernel/host/index.ts'
import {
  createMetrics,
  type Network,
  silentLog,
  systemClock,
  systemRandom
} from '../../src/kernel/index.ts'
import type { NetworkInit } from '../../src/kernel/network.ts'
import { createRaw, until } from './libp2p-raw.ts'
import { addressOf, bytes, echo, startNetwork, text } from './rpc-fixture.ts'

/** Twenty times what a peer may open at once. */
const OPENINGS_MAX = 2_000

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(options: Partial<NetworkInit> = {}): Promise<Network> {
  const network = await createNetwork({
    privateKey: systemRandom.bytes(32),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    profile: 'relay',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics(),
    ...options
  })
  stops.push(() => network.stop())
  network.rpc.serve(echo, async (request) => request)
  return network
}

async function dialRaw(server: Network): Promise<Connection> {
  const raw = await createRaw({ listen: false })
  stops.push(() => raw.stop())
  return raw.dial(server.addresses().map((address) => multiaddr(address)))
}

/** An honest client that was there before and must not notice anything. */
async function honest(server: Network) {
  const client = await startNetwork({ listen: [] })
  stops.push(() => client.stop())
  let losses = 0
  client.onConnection(({ connected }) => {
    if (!connected) losses += 1
  })
  const ask = () => client.rpc.request(addressOf(server), echo, bytes('still here'))
  await ask()
  return async () => {
    expect(text(await ask())).toBe('still here')
    expect(losses).toBe(0)
  }
}

/** What Yamux's muxer can send besides whole streams. */
interface RawMuxer {
  send(bytes: Uint8Array): boolean
  sendPing(id: number): void
  handleFrame(frame: { readonly header: { streamID: number; flag: number } }): void
}

const muxerOf = (connection: Connection) => (connection as unknown as { muxer: RawMuxer }).muxer

/** Opens streams and resets them at once until the connection is lost; how many. */
async function openAndReset(connection: Connection): Promise<number> {
  const [syn, reset] = [1, 8]
  let opened = 0
  while (connection.status === 'open' && opened < OPENINGS_MAX) {
    opened += 1
    const frames = Buffer.alloc(24)
    for (const [index, flag] of [syn, reset].entries()) {
      frames.writeUInt8(1, 12 * index + 1)
      frames.writeUInt16BE(flag, 12 * index + 2)
      // Beyond those that the library opens by itself.
      frames.writeUInt32BE(1_001 + 2 * opened, 12 * index + 4)
    }
    muxerOf(connection).send(frames)
    if (opened % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return opened
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes of this process that are still needed. */
function held(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Passes connections on to a port, where they come from `localAddress`; resolves to where to dial. */
async function startProxy(port: number, localAddress: string): Promise<string> {
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', localAddress })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
    far.on('error', () => near.destroy()).on('close', () => near.destroy())
  })
  stops.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
}

const isClosed = (connection: Connection) => until(() => connection.status !== 'open')

function portOf(network: Network): number {
  return Number(/\/tcp\/(\d+)/.exec(network.addresses()[0] ?? '')?.[1])
}

describe('a peer that', () => {
  it('says a multiplexed frame has 4 GiB is disconnected before it sends them', async () => {
    const server = await start()
    const check = await honest(server)
    const connection = await dialRaw(server)
    const header = Buffer.alloc(12)
    header.writeUInt16BE(1, 2)
    header.writeUInt32BE(1, 4)
    header.writeUInt32BE(0xffffffff, 8)
    muxerOf(connection).send(header)
    await isClosed(connection)
    await check()
  })

  it('opens and resets streams without end is disconnected', async () => {
    const server = await start()
    const check = await honest(server)
    const connection = await dialRaw(server)
    while (connection.status === 'open') {
      const stream = connection.newStream(frames.LANE_PROTOCOL.control).catch(() => undefined)
      void stream.then((one) => one?.abort(new Error('reset')))
      // Both ends share this thread: without a pause the other one would never see any of them.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await isClosed(connection)
    await check()
  })

  it('does so from elsewhere is refused for a while, and leaves nothing behind', async () => {
    const server = await start()
    const check = await honest(server)
    const elsewhere = await startProxy(portOf(server), '127.9.0.1')
    const floods = 20
    const counts: number[] = []
    const before = held()
    for (let turn = 0; turn < floods; turn += 1) {
      const connection = await dialRaw(server)
      counts.push(await openAndReset(connection))
      await isClosed(connection)
    }
    const kib = (held() - before) / floods / 1_024
    console.log(
      `B8: disconnected after ${Math.min(...counts)} to ${Math.max(...counts)} openings; ` +
        `${kib.toFixed(0)} KiB held after each, both ends together`
    )
    expect(Math.max(...counts)).toBeLessThan(OPENINGS_MAX)
    expect(kib).toBeLessThan(256)
    const raw = await createRaw({ listen: false })
    stops.push(() => raw.stop())
    const dial = () => raw.dial(multiaddr(elsewhere))
    const connection = await dial()
    await openAndReset(connection)
    await isClosed(connection)
    await expect(dial()).rejects.toThrow()
    await check()
  })

  it('pings without end is disconnected', async () => {
    const server = await start()
    const check = await honest(server)
    const connection = await dialRaw(server)
    for (let id = 0; id < 1_000 && connection.status === 'open'; id += 1) {
      muxerOf(connection).sendPing(id)
    }
    await isClosed(connection)
    await check()
  })

  it('lies about the length of a frame of ours loses its stream at once', async () => {
    const server = await start()
    const check = await honest(server)
    const connection = await dialRaw(server)
    for (const prefix of ['ffffffff07', 'ffffffffffffffff7f', 'ff'.repeat(11)]) {
      const stream = await connection.newStream(frames.LANE_PROTOCOL.bulk)
      stream.send(Buffer.from(prefix, 'hex'))
      await until(() => stream.status !== 'open')
    }
    await check()
  })

  it('negotiates with a length without end loses its stream, and blocks nobody', async () => {
    const server = await start()
    const check = await honest(server)
    const connection = await dialRaw(server)
    const sendWindowUpdate = Buffer.alloc(12)
    sendWindowUpdate.writeUInt8(1, 1)
    sendWindowUpdate.writeUInt16BE(1, 2)
    sendWindowUpdate.writeUInt32BE(101, 4)
    const lie = Buffer.alloc(12 + 200_000, 0xff)
    lie.writeUInt32BE(0, 0)
    lie.writeUInt32BE(101, 4)
    lie.writeUInt32BE(200_000, 8)
    const muxer = muxerOf(connection)
    const reset = new Promise<void>((resolve) => {
      const { handleFrame } = muxer
      muxer.handleFrame = (frame) => {
        if (frame.header.streamID === 101 && (frame.header.flag & 8) !== 0) resolve()
        handleFrame.call(muxer, frame)
      }
    })
    const startedAt = performance.now()
    muxer.send(sendWindowUpdate)
    muxer.send(lie)
    await reset
    // The library waits ten seconds for its end, collecting.
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await check()
  })

  it.each([
    ['2^31', 'ffffffff07'],
    ['2^63', 'ffffffffffffffff7f'],
    ['more than ten bytes', 'ff'.repeat(32)]
  ])('begins its handshake with a length of %s is disconnected', async (_name, prefix) => {
    const server = await start()
    const socket = connect({ port: portOf(server), host: '127.0.0.1' })
    socket.on('error', () => {})
    stops.push(() => socket.destroy())
    socket.write(Buffer.from(prefix, 'hex'))
    await new Promise((resolve) => socket.on('close', resolve))
  })

  it('begins its handshake well and then sends a length without end is disconnected', async () => {
    const server = await start()
    const socket = connect({ port: portOf(server), host: '127.0.0.1' })
    socket.on('error', () => {})
    stops.push(() => socket.destroy())
    socket.write(Buffer.from('\x13/multistream/1.0.0\n'))
    const endless = Buffer.alloc(64 * 1024, 0xff)
    const send = () => {
      while (!socket.destroyed && socket.write(endless));
    }
    socket.on('drain', send)
    send()
    await new Promise((resolve) => socket.on('close', resolve))
  })
})

describe('strangers at a full relay', () => {
  it('lose their connections to known peers, who lose none', async () => {
    const seeds = [1, 2, 3].map((fill) => new Uint8Array(32).fill(100 + fill))
    const known = new Set<string>()
    const server = await start({
      isKnown: (peer) => known.has(peer),
      admission: { connectionsMax: 4, strangersMax: 2 }
    })
    const strangers = [await dialRaw(server), await dialRaw(server)]
    const friends: Network[] = []
    for (const seed of seeds) {
      const friend = await start({ privateKey: seed, listen: [], profile: 'node' })
      known.add(deviceIdOf(friend.publicKey))
      await friend.rpc.request(addressOf(server), echo, bytes('x'))
      friends.push(friend)
    }
    await until(() => strangers.filter(({ status }) => status === 'open').length === 1)
    for (let turn = 0; turn < 5; turn += 1) await dialRaw(server)
    for (const friend of friends) {
      const bare = { id: server.id, addresses: [] }
      expect(text(await friend.rpc.request(bare, echo, bytes('y')))).toBe('y')
    }
  })
})

describe('over WebSockets', () => {
  const listen = ['/ip4/127.0.0.1/tcp/0/ws']
  const urlOf = (server: Network) => `ws://127.0.0.1:${portOf(server)}`

  it('a socket that never asks for an upgrade is closed', async () => {
    // Ten seconds are a tenth of one.
    const clock = {
      ...systemClock,
      schedule: (delayMs: number, callback: () => void) =>
        systemClock.schedule(delayMs / 100, callback)
    }
    const server = await start({ listen, clock })
    const closed = ['', 'GET / HTTP/1.1\r\nHost: x\r\nX: '].map((sent) => {
      const socket = connect({ port: portOf(server), host: '127.0.0.1' })
      stops.push(() => socket.destroy())
      socket.on('error', () => {})
      socket.write(sent)
      socket.resume()
      return new Promise((resolve) => socket.on('close', resolve))
    })
    await Promise.all(closed)
  })

  it('a message of more than a mebibyte ends the connection', async () => {
    const server = await start({ listen })
    const socket = new WebSocket(urlOf(server))
    stops.push(() => socket.close())
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.send(new Uint8Array(2 ** 20 + 1))
    await new Promise((resolve) => socket.addEventListener('close', resolve))
  })

  it('a frame that breaks the protocol ends its connection, not the process', async () => {
    const server = await start({ listen })
    const check = await honest(server)
    const socket = connect({ port: portOf(server), host: '127.0.0.1' })
    stops.push(() => socket.destroy())
    socket.on('error', () => {})
    const key = Buffer.alloc(16).toString('base64')
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
    )
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    await new Promise((resolve) => socket.on('close', resolve))
    await check()
  })

  it('an aborted connection is closed, not only forgotten', async () => {
    const server = await start({ listen, admission: { pendingMax: 2, pendingReserved: 0 } })
    const sockets = [1, 2, 3].map(() => new WebSocket(urlOf(server)))
    for (const socket of sockets) stops.push(() => socket.close())
    await Promise.race(
      sockets.map((socket) => new Promise((resolve) => socket.addEventListener('close', resolve)))
    )
  })

  it('requests are answered as over TCP', async () => {
    const server = await start({ listen })
    const check = await honest(server)
    await check()
  })
})
