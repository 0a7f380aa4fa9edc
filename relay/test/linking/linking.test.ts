// Meeting places over time and under a flood: what is held, for how long, and who has to make room.

import { FakeClock } from '@kith/node/testing'
import { linking, MINUTE_MS, type ProtocolError } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { Linking } from '../../src/linking/linking.ts'

const LARGEST = linking.LINK_MESSAGE_BYTES_MAX

const bytes32 = (value: number) => {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

function world() {
  const clock = new FakeClock()
  const members = new Set<number>()
  const ofDevice = (publicKey: Uint8Array) => {
    const number = new DataView(publicKey.buffer).getUint32(0)
    return members.has(number) ? ({} as never) : undefined
  }
  const service = new Linking({ clock, directory: { ofDevice } })
  const put = (device: number, place: number, index = 0, length = 10) =>
    service.put(
      { rendezvous: bytes32(place), index, sealed: new Uint8Array(length).fill(index) },
      { publicKey: bytes32(device) }
    )
  const watch = (device: number, place: number) => {
    const seen: number[] = []
    const abort = new AbortController()
    const publisher = { push: async ({ index }: linking.WatchItem) => void seen.push(index) }
    const caller = { publicKey: bytes32(device), signal: abort.signal }
    const ended = service.watch({ rendezvous: bytes32(place) }, publisher, caller).then(
      () => 'ended',
      (error: ProtocolError) => error.code
    )
    return { seen, ended, leave: () => abort.abort() }
  }
  return { service, clock, members, put, watch }
}

const UNAVAILABLE = { code: 'unavailable', detail: 'links' }

describe('meeting places', () => {
  it.each([1, -1])(
    'last ten minutes by the time that passes, whatever the clock says (%i)',
    async (way) => {
      const { service, clock, put } = world()
      await put(1, 1, 0)
      clock.shiftWall(way * 10 * 365 * 24 * 60 * MINUTE_MS)
      await clock.advance(10 * MINUTE_MS - 1)
      expect(service.usage.links).toBe(1)
      await clock.advance(1)
      expect(service.usage.links).toBe(0)
    }
  )

  it('end ten minutes after they were opened, with all that was left there', async () => {
    const { service, clock, put, watch } = world()
    await put(1, 1, 0, LARGEST)
    const { seen, ended } = watch(2, 1)
    await clock.advance(10 * MINUTE_MS - 1)
    await put(1, 1, 1)
    expect(service.usage.links).toBe(1)
    await clock.advance(1)
    expect(await ended).toBe('ended')
    expect(seen).toEqual([0, 1])
    expect(service.usage).toEqual({ links: 0, bytes: 0 })
    await put(1, 1, 0)
    expect(watch(2, 1).seen).toEqual([0])
    expect(service.usage).toEqual({ links: 1, bytes: 10 })
  })

  it('end with their last watcher when nothing was left there', async () => {
    const { service, watch } = world()
    const [first, second] = [watch(1, 1), watch(2, 1)]
    first.leave()
    await first.ended
    expect(service.usage.links).toBe(1)
    second.leave()
    await second.ended
    expect(service.usage.links).toBe(0)
  })

  it('are watched once by a device: the newest watch wins', async () => {
    const { put, watch } = world()
    const old = watch(1, 1)
    const fresh = watch(1, 1)
    expect(await old.ended).toBe('conflict')
    await put(2, 1)
    await Promise.resolve()
    expect([old.seen, fresh.seen]).toEqual([[], [0]])
  })

  it('are watched by four devices at most', async () => {
    const { watch } = world()
    for (const device of [1, 2, 3, 4]) watch(device, 1)
    expect(await watch(5, 1).ended).toBe('quota')
  })

  it('of one device are at most four: the next ends the oldest', async () => {
    const { service, put, watch } = world()
    for (const place of [1, 2, 3, 4]) await put(1, place)
    const watcher = watch(2, 1)
    await put(1, 5)
    expect(await watcher.ended).toBe('ended')
    expect(service.usage).toEqual({ links: 4, bytes: 40 })
  })

  it('are half for devices of no account here, however many of them come', async () => {
    const { service, members, put } = world()
    for (let device = 0; device < 128; device++) await put(device, device)
    await expect(put(1_000, 1_000)).rejects.toMatchObject(UNAVAILABLE)
    for (let device = 2_000; device < 2_128; device++) {
      members.add(device)
      await put(device, device)
    }
    members.add(3_000)
    await expect(put(3_000, 3_000)).rejects.toMatchObject({
      ...UNAVAILABLE,
      retryAfterMs: 10 * MINUTE_MS
    })
    expect(service.usage.links).toBe(256)
  })

  it('hold 32 MiB together, half of it for devices of no account here', async () => {
    const { service, members, put } = world()
    const fill = async (from: number, places: number) => {
      for (let place = from; place < from + places; place++) {
        for (let index = 0; index < 16; index++) await put(place, place, index, LARGEST)
      }
    }
    await fill(0, 4)
    await expect(put(50, 50, 0, LARGEST)).rejects.toMatchObject(UNAVAILABLE)
    for (let place = 100; place < 104; place++) members.add(place)
    await fill(100, 4)
    expect(service.usage.bytes).toBe(32 * 1_024 * 1_024)
    members.add(200)
    await expect(put(200, 200)).rejects.toMatchObject(UNAVAILABLE)
    expect(service.usage.links).toBe(8)
  })

  it('count as those of an account once one of its devices has been there', async () => {
    const { members, put } = world()
    members.add(1)
    for (let device = 100; device < 228; device++) await put(device, device)
    await put(1, 100, 1)
    await put(1_000, 1_000)
    await expect(put(1_001, 1_001)).rejects.toMatchObject(UNAVAILABLE)
  })
})
