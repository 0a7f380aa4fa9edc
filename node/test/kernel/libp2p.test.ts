// Rpc over libp2p and TCP on loopback.
import type { Network } from '../../src/kernel/index.ts'
import { ProtocolError } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
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
