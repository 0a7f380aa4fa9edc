// What the meeting places of linking answer, request by request.
import { linking } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import type { Device } from '../people.ts'
import { refusal, startWorld } from '../world.ts'

const NAME = new Uint8Array(32).fill(5)
const sealed = (value: number, length = 40) => new Uint8Array(length).fill(value)

const put = (device: Device, index: number, bytes: Uint8Array, rendezvous = NAME) =>
  device.network.rpc.request(device.peer, linking.linkingPut, { rendezvous, index, sealed: bytes })

async function watch(device: Device, rendezvous = NAME) {
  const subscription = await device.network.rpc.subscribe(
    device.peer,
    linking.linkingWatch,
    { rendezvous },
    { signal: new AbortController().signal }
  )
  const iterator = subscription[Symbol.asyncIterator]()
  return {
    async next(): Promise<[number, number | undefined]> {
      const { value, done } = await iterator.next()
      if (done === true) throw new Error('the watch ended')
      subscription.acknowledge({})
      return [value.index, value.sealed[0]]
    },
    close: () => subscription.close()
  }
}

describe('a meeting place', () => {
  it('gives a watcher what is there, in order, then what comes', async () => {
    const { join, connect } = await startWorld()
    const [old, fresh] = [await join(), await connect()]
    await put(old, 1, sealed(11))
    await put(old, 0, sealed(10))
    const watcher = await watch(fresh)
    expect([await watcher.next(), await watcher.next()]).toEqual([
      [0, 10],
      [1, 11]
    ])
    await put(fresh, 2, sealed(12))
    expect(await watcher.next()).toEqual([2, 12])
    const late = await watch(old)
    expect(await late.next()).toEqual([0, 10])
  })

  it('may be watched before anything is there', async () => {
    const { join, connect } = await startWorld()
    const [old, fresh] = [await join(), await connect()]
    const watcher = await watch(fresh)
    const first = watcher.next()
    await put(old, 0, sealed(1))
    expect(await first).toEqual([0, 1])
  })

  it('takes a position once; the same bytes again change nothing', async () => {
    const { join, connect } = await startWorld()
    const [old, fresh] = [await join(), await connect()]
    await put(old, 0, sealed(1))
    await put(old, 0, sealed(1))
    await expect(put(fresh, 0, sealed(2))).rejects.toMatchObject(refusal('conflict'))
    await put(fresh, 0, sealed(2), new Uint8Array(32).fill(6))
  })

  it('refuses what no link needs', async () => {
    const { connect } = await startWorld()
    const device = await connect()
    const malformed = refusal('malformed')
    await expect(put(device, 16, sealed(1))).rejects.toMatchObject(malformed)
    await expect(put(device, 0, new Uint8Array(0))).rejects.toMatchObject(malformed)
    await expect(put(device, 0, sealed(1), new Uint8Array(31))).rejects.toMatchObject(malformed)
    const large = sealed(1, linking.LINK_MESSAGE_BYTES_MAX + 1)
    await expect(put(device, 0, large)).rejects.toMatchObject(refusal('too-large'))
    await put(device, 15, sealed(1, linking.LINK_MESSAGE_BYTES_MAX))
  })
})
