// What every subscription can rely on, over the memory network: order, credit, endings.
import { type Caller, defineSubscription, ProtocolError, type Publisher } from '@kith/protocols'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Network, Subscription } from '../../src/kernel/index.ts'
import {
  createMemoryNetworks,
  FakeClock,
  type MemoryNetworks,
  settled
} from '../../src/testing/index.ts'
import { addressOf, bytes, echo, feed, text } from './rpc-fixture.ts'

let clock: FakeClock
let networks: MemoryNetworks
let server: Network
let client: Network

const forever = () => new Promise<never>(() => {})

describe('a subscription', () => {
  let publisher: Publisher<Uint8Array, Uint8Array> | undefined
  let caller: Caller | undefined
  const finish: { resolve: () => void; reject: (error: unknown) => void }[] = []

  async function subscribe(
    network: Network = client
  ): Promise<{ items: Subscription<Uint8Array, Uint8Array>; controller: AbortController }> {
    server.rpc.serveSubscription(feed, async (_request, given, from) => {
      publisher = given
      caller = from
      await new Promise<void>((resolve, reject) => finish.push({ resolve, reject }))
    })
    const controller = new AbortController()
    const items = await network.rpc.subscribe(addressOf(server), feed, bytes('from 5'), {
      signal: controller.signal
    })
    await settled()
    return { items, controller }
  }

  beforeEach(() => {
    clock = new FakeClock()
    networks = createMemoryNetworks({ clock, chunkBytes: 1_000 })
    server = networks.join({ publicKey: new Uint8Array(32).fill(1) })
    client = networks.join({ publicKey: new Uint8Array(32).fill(2) })
    finish.length = 0
  })

  const ITEM_BYTES = 60_000
  const item = (index: number) => new Uint8Array(ITEM_BYTES).fill(index)
  const take = async (items: AsyncIterable<Uint8Array>) =>
    (await items[Symbol.asyncIterator]().next()).value?.[0]

  it('sends as far as credit goes and no further, until items are acknowledged', async () => {
    const { items } = await subscribe()
    let sent = 0
    const pushing = (async () => {
      for (let index = 0; index < 40; index += 1) {
        await publisher?.push(item(index))
        sent += 1
      }
    })()
    await settled()
    const atOnce = Math.floor(feed.limits.creditBytes / (ITEM_BYTES + 64))
    expect(sent).toBe(atOnce)
    // Reading alone gives nothing back: an item may still be lost with this process.
    for (let index = 0; index < 3; index += 1) expect(await take(items)).toBe(index)
    await settled()
    expect(sent).toBe(atOnce)
    items.acknowledge(bytes('2'))
    await settled()
    expect(sent).toBe(atOnce + 3)
    for (let index = 3; index < 40; index += 1) {
      expect(await take(items)).toBe(index)
      items.acknowledge(bytes(`${index}`))
    }
    await pushing
  })

  it('hands acknowledgements to the publisher in order, also early ones', async () => {
    const { items } = await subscribe()
    for (let index = 0; index < 3; index += 1) {
      await publisher?.push(item(index))
      await take(items)
      items.acknowledge(bytes(`${index}`))
    }
    await settled()
    const acknowledged: string[] = []
    publisher?.onAcknowledgement((one) => acknowledged.push(text(one)))
    expect(acknowledged).toEqual(['0', '1', '2'])
  })

  it('ends cleanly behind the last item when the publisher is done', async () => {
    const { items } = await subscribe()
    await publisher?.push(item(1))
    finish[0]?.resolve()
    await settled()
    expect(await take(items)).toBe(1)
    const end = await items[Symbol.asyncIterator]().next()
    expect(end.done).toBe(true)
  })

  it('ends with the refusal of the publisher', async () => {
    const { items } = await subscribe()
    finish[0]?.reject(new ProtocolError('conflict', 'store epoch'))
    await expect(take(items)).rejects.toMatchObject({ code: 'conflict', detail: 'store epoch' })
  })

  it('to what is not served ends with the name of the protocol', async () => {
    const items = await client.rpc.subscribe(addressOf(server), feed, bytes(''), {
      signal: new AbortController().signal
    })
    await expect(take(items)).rejects.toMatchObject({ code: 'unknown-protocol' })
  })

  it('closed by the subscriber aborts the publisher and rejects what it pushes', async () => {
    const { items } = await subscribe()
    for (let index = 0; index < 17; index += 1) await publisher?.push(item(index))
    const waiting = publisher?.push(item(17)).catch((error: unknown) => error)
    items.close()
    await settled()
    expect(caller?.signal.aborted).toBe(true)
    expect(await waiting).toMatchObject({ code: 'unreachable' })
    await expect(publisher?.push(item(18))).rejects.toMatchObject({ code: 'unreachable' })
    expect(await take(items)).toBeUndefined()
  })

  it('ends with the reason of the aborted signal', async () => {
    const { items, controller } = await subscribe()
    const next = take(items)
    controller.abort(new Error('leaving'))
    await expect(next).rejects.toThrow('leaving')
    await settled()
    expect(caller?.signal.aborted).toBe(true)
  })

  it('throws when the stream is lost, behind the items that had arrived', async () => {
    const { items } = await subscribe()
    await publisher?.push(item(1))
    await settled()
    networks.cut(server.id, client.id)
    expect(await take(items)).toBe(1)
    await expect(take(items)).rejects.toMatchObject({ code: 'unreachable' })
    expect(caller?.signal.aborted).toBe(true)
  })

  it('stays open however long nothing is published', async () => {
    const { items } = await subscribe()
    await clock.advance(60 * 60_000)
    await publisher?.push(item(9))
    expect(await take(items)).toBe(9)
  })

  it('that is not read harms no request on the same stream', async () => {
    const { items } = await subscribe()
    const pushing = publisher
    void (async () => {
      for (;;) await pushing?.push(item(1))
    })().catch(() => {})
    const bulk = { ...echo, lane: 'bulk' as const }
    server.rpc.serve(bulk, async (request) => request)
    for (let index = 0; index < 5; index += 1) {
      const answer = await client.rpc.request(addressOf(server), bulk, bytes(`${index}`))
      expect(text(answer)).toBe(`${index}`)
    }
    items.close()
  })

  it('whose credit is too small for its largest item cannot be served', () => {
    const limits = { ...feed.limits, creditBytes: feed.limits.itemBytes }
    expect(() => server.rpc.serveSubscription({ ...feed, limits }, forever)).toThrow('credit')
  })

  it('refuses more than 64 on one stream', async () => {
    await subscribe()
    const signal = new AbortController().signal
    const more = Array.from({ length: 63 }, () =>
      client.rpc.subscribe(addressOf(server), feed, bytes(''), { signal })
    )
    await Promise.all(more)
    await expect(
      client.rpc.subscribe(addressOf(server), feed, bytes(''), { signal })
    ).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('whose acknowledgement does not decode ends as malformed', async () => {
    const picky = defineSubscription({
      ...feed,
      acknowledgement: {
        encode: (value: Uint8Array) => value,
        decode: (): Uint8Array => {
          throw new Error('no')
        }
      }
    })
    server.rpc.serveSubscription(picky, async (_request, given) => {
      await given.push(item(1))
      await forever()
    })
    const items = await client.rpc.subscribe(addressOf(server), feed, bytes(''), {
      signal: new AbortController().signal
    })
    await take(items)
    items.acknowledge(bytes('?'))
    await expect(take(items)).rejects.toMatchObject({ code: 'malformed' })
  })
})
