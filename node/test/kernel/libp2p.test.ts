// Rpc over libp2p and TCP on loopback.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { MIB, ProtocolError } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import type { Network } from '../../src/kernel/index.ts'
import { until } from './libp2p-raw.ts'
import { addressOf, bytes, echo, feed, startNetwork, text } from './rpc-fixture.ts'

const running: Network[] = []

async function start(...options: Parameters<typeof startNetwork>): Promise<Network> {
  const network = await startNetwork(...options)
  running.push(network)
  return network
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((network) => network.stop()))
})

function portOf(network: Network): number {
  return Number(/\/tcp\/(\d+)/.exec(network.addresses()[0] ?? '')?.[1])
}

/** Forwards TCP connections to a port until frozen: then it holds them open and forwards nothing. */
async function startProxy(target: number) {
  const sockets: Socket[] = []
  const server = createServer((inbound) => {
    const outbound = connect(target, '127.0.0.1')
    sockets.push(inbound, outbound)
    inbound.pipe(outbound)
    outbound.pipe(inbound)
    for (const socket of [inbound, outbound]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
}

describe('requests over TCP', () => {
  it('are answered, many at once on one stream', async () => {
    const server = await start({ profile: 'relay' })
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request, caller) => {
      expect(caller.device).toBe(client.id)
      return request
    })
    const peer = addressOf(server)
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => client.rpc.request(peer, echo, bytes(`${index}`)))
    )
    expect(answers.map(text)).toEqual(answers.map((_, index) => `${index}`))
  })

  it('carry the code of a refusal and nothing of a failure', async () => {
    const server = await start()
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request) => {
      if (text(request) === 'refuse') throw new ProtocolError('conflict', 'said so')
      throw new Error('secret')
    })
    const peer = addressOf(server)
    await expect(client.rpc.request(peer, echo, bytes('refuse'))).rejects.toMatchObject({
      code: 'conflict',
      detail: 'said so'
    })
    await expect(client.rpc.request(peer, echo, bytes('fail'))).rejects.toMatchObject({
      code: 'internal',
      detail: echo.id
    })
  })
})

describe('subscriptions over TCP', () => {
  it('deliver items in order under credit, with acknowledgements', async () => {
    const server = await start({ profile: 'relay' })
    const client = await start({ listen: [] })
    const acknowledged: string[] = []
    server.rpc.serveSubscription(feed, async (_request, publisher) => {
      publisher.onAcknowledgement((acknowledgement) => acknowledged.push(text(acknowledgement)))
      for (let index = 0; index < 100; index += 1)
        await publisher.push(new Uint8Array(40_000).fill(index))
    })
    const subscription = await client.rpc.subscribe(addressOf(server), feed, bytes(''), {
      signal: new AbortController().signal
    })
    const received: number[] = []
    for await (const item of subscription) {
      received.push(item[0] ?? -1)
      subscription.acknowledge(bytes(`${item[0]}`))
    }
    expect(received).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(acknowledged.length).toBeGreaterThan(70)
  })
})

describe('identity', () => {
  it('is enforced: an address that another peer answers is unreachable', async () => {
    const server = await start()
    const other = await start()
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request) => request)
    other.rpc.serve(echo, async () => bytes('I am not who you asked'))
    const bare = other.addresses().map((address) => address.split('/p2p/')[0] as string)
    for (const addresses of [bare, other.addresses()]) {
      await expect(
        client.rpc.request({ id: server.id, addresses }, echo, bytes('x'))
      ).rejects.toMatchObject({ code: 'unreachable' })
    }
    const moved = server.addresses().map((address) => address.split('/p2p/')[0] as string)
    expect(
      text(await client.rpc.request({ id: server.id, addresses: moved }, echo, bytes('x')))
    ).toBe('x')
  })

  it('is that of the seed', async () => {
    const first = await startNetwork({ seed: 77, listen: [] })
    await first.stop()
    const again = await start({ seed: 77, listen: [] })
    expect(again.id).toBe(first.id)
    expect(again.publicKey).toEqual(first.publicKey)
  })
})

describe('connections', () => {
  it('come back after the server started again at the same address', async () => {
    const server = await startNetwork({ seed: 88 })
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request) => request)
    const peer = addressOf(server)
    await client.rpc.request(peer, echo, bytes('x'))
    const changes: boolean[] = []
    client.onConnection(({ connected }) => changes.push(connected))
    await server.stop()
    await until(() => changes.length === 1)
    await expect(client.rpc.request(peer, echo, bytes('x'))).rejects.toMatchObject({
      code: 'unreachable'
    })
    const listen = peer.addresses.map((address) => address.split('/p2p/')[0] as string)
    const again = await start({ seed: 88, listen })
    again.rpc.serve(echo, async () => bytes('back'))
    expect(text(await client.rpc.request(peer, echo, bytes('x')))).toBe('back')
    expect(changes).toEqual([false, true])
  })

  it('to one peer are lost when told to, and that peer may come back', async () => {
    const server = await start()
    const [client, other] = [await start({ listen: [] }), await start({ listen: [] })]
    server.rpc.serve(echo, async (request) => request)
    const changes: [string, boolean][] = []
    for (const one of [client, other]) {
      await one.rpc.request(addressOf(server), echo, bytes('x'))
      one.onConnection(({ connected }) => changes.push([one.id, connected]))
    }
    server.disconnect(client.id)
    await until(() => changes.length === 1)
    await client.rpc.request(addressOf(server), echo, bytes('x'))
    expect(changes).toEqual([
      [client.id, false],
      [client.id, true]
    ])
  })

  it('are shared by both lanes and by requests in the other direction', async () => {
    const server = await start()
    const client = await start({ listen: [] })
    let connections = 0
    server.onConnection(({ connected }) => {
      connections += connected ? 1 : 0
    })
    const bulk = { ...echo, id: '/kith/test/bulk/1.0.0', lane: 'bulk' as const }
    server.rpc.serve(echo, async (request) => request)
    server.rpc.serve(bulk, async (request) => request)
    client.rpc.serve(echo, async () => bytes('from the client'))
    const peer = addressOf(server)
    await Promise.all([
      client.rpc.request(peer, echo, bytes('x')),
      client.rpc.request(peer, bulk, bytes('x'))
    ])
    // No address: only the connection that the client made.
    const back = await server.rpc.request({ id: client.id, addresses: [] }, echo, bytes('x'))
    expect(text(back)).toBe('from the client')
    expect(connections).toBe(1)
  })

  it('that died without a word are noticed when a stream is needed, and dialled again', async () => {
    const server = await start()
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request) => request)
    const bulk = { ...echo, id: '/kith/test/bulk/1.0.0', lane: 'bulk' as const }
    server.rpc.serve(bulk, async (request) => request)
    const proxy = await startProxy(portOf(server))
    const through = { id: server.id, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }
    await client.rpc.request(through, echo, bytes('x'))
    proxy.freeze()
    expect(text(await client.rpc.request(addressOf(server), bulk, bytes('y')))).toBe('y')
    proxy.stop()
  })

  it('work over WebSockets as well', async () => {
    const server = await start({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    const client = await start({ listen: [] })
    server.rpc.serve(echo, async (request) => request)
    expect(server.addresses()[0]).toContain('/ws/p2p/')
    const large = new Uint8Array(60_000).map((_, index) => index % 251)
    expect(await client.rpc.request(addressOf(server), echo, large)).toEqual(large)
  })

  it('that lead nowhere are unreachable, not an endless wait', async () => {
    const client = await start({ listen: [] })
    const gone = await startNetwork()
    const peer = addressOf(gone)
    await gone.stop()
    await expect(client.rpc.request(peer, echo, bytes('x'))).rejects.toMatchObject({
      code: 'unreachable'
    })
    await expect(
      client.rpc.request({ id: gone.id, addresses: [] }, echo, bytes('x'))
    ).rejects.toMatchObject({ code: 'unreachable' })
  })
})

describe('bytes', () => {
  it('reach handlers and callers as plain Uint8Arrays, whose slice is a copy', async () => {
    const server = await start()
    const client = await start({ listen: [] })
    const prototypes: unknown[] = []
    server.rpc.serve(echo, async (request) => {
      prototypes.push(Object.getPrototypeOf(request))
      return request
    })
    for (const size of [10, 2_000, 60_000]) {
      const answer = await client.rpc.request(addressOf(server), echo, new Uint8Array(size))
      prototypes.push(Object.getPrototypeOf(answer))
    }
    expect(prototypes.every((prototype) => prototype === Uint8Array.prototype)).toBe(true)
  })
})

describe('volume', () => {
  it('of frames larger than the window goes through in both directions', async () => {
    const server = await start({ profile: 'relay' })
    const client = await start({ listen: [] })
    const limits = { ...echo.limits, requestBytes: MIB, responseBytes: MIB, timeoutMs: 20_000 }
    const large = { ...echo, limits }
    server.rpc.serve(large, async (request) => request)
    const body = new Uint8Array(MIB).map((_, index) => (index * 31) % 251)
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => client.rpc.request(addressOf(server), large, body))
    )
    for (const answer of answers) expect(Buffer.compare(answer, body)).toBe(0)
  })
})
