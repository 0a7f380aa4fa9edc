// The switches of the memory network, which the tests of features rely on.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Network } from '../../src/kernel/index.ts'
import {
  createMemoryNetworks,
  FakeClock,
  type MemoryNetworks,
  settled
} from '../../src/testing/index.ts'
import { addressOf, bytes, echo, feed, text } from './rpc-fixture.ts'

let clock: FakeClock
let networks: MemoryNetworks
let alice: Network
let bob: Network

function world(options: { latencyMs?: number; windowBytes?: number } = {}): void {
  clock = new FakeClock()
  networks = createMemoryNetworks({ clock, ...options })
  alice = networks.join({ publicKey: new Uint8Array(32).fill(1) })
  bob = networks.join({ publicKey: new Uint8Array(32).fill(2) })
  bob.rpc.serve(echo, async (request) => request)
}

beforeEach(() => world())

const ask = (message: string) => alice.rpc.request(addressOf(bob), echo, bytes(message))
const isPending = async (promise: Promise<unknown>) => {
  await settled()
  return (await Promise.race([promise, 'pending'])) === 'pending'
}

describe('networks in memory', () => {
  it('hold what is sent, tell nobody, and deliver it in order when healed', async () => {
    await ask('open')
    networks.hold(alice.id, bob.id)
    const asked = [ask('a'), ask('b')]
    expect(await isPending(Promise.race(asked))).toBe(true)
    networks.heal(bob.id, alice.id)
    expect((await Promise.all(asked)).map(text)).toEqual(['a', 'b'])
  })

  it('cut one pair and no other', async () => {
    const carol = networks.join({ publicKey: new Uint8Array(32).fill(3) })
    networks.cut(alice.id, bob.id)
    await expect(ask('x')).rejects.toMatchObject({ code: 'unreachable' })
    expect(text(await carol.rpc.request(addressOf(bob), echo, bytes('y')))).toBe('y')
  })

  it('take as long as they are told, in each direction', async () => {
    world({ latencyMs: 50 })
    const asked = ask('x')
    await clock.advance(99)
    expect(await isPending(asked)).toBe(true)
    await clock.advance(1)
    expect(text(await asked)).toBe('x')
  })

  it('lose their connections when one stops, and its address leads nowhere', async () => {
    const changes: boolean[] = []
    alice.onConnection(({ connected }) => changes.push(connected))
    await ask('x')
    await bob.stop()
    expect(changes).toEqual([true, false])
    await expect(ask('x')).rejects.toMatchObject({ code: 'unreachable' })
    const again = networks.join({ publicKey: bob.publicKey })
    again.rpc.serve(echo, async () => bytes('again'))
    await expect(ask('x')).rejects.toMatchObject({ code: 'unreachable' })
    expect(text(await alice.rpc.request(addressOf(again), echo, bytes('x')))).toBe('again')
  })

  it('lose the connection to a peer that is disconnected, until it asks again', async () => {
    const changes: boolean[] = []
    alice.onConnection(({ connected }) => changes.push(connected))
    await ask('x')
    bob.disconnect(alice.id)
    expect(changes).toEqual([true, false])
    expect(text(await ask('y'))).toBe('y')
  })

  it('let a sender be a window ahead of its reader and no more', async () => {
    world({ windowBytes: 10_000 })
    let sent = 0
    bob.rpc.serveSubscription(feed, async (_request, publisher) => {
      for (; sent < 100; sent += 1) await publisher.push(new Uint8Array(5_000).fill(sent))
    })
    const items = await alice.rpc.subscribe(addressOf(bob), feed, bytes(''), {
      signal: new AbortController().signal
    })
    const received: (number | undefined)[] = []
    for await (const item of items) {
      received.push(item[0])
      items.acknowledge(bytes('x'))
    }
    expect(received).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })
})
