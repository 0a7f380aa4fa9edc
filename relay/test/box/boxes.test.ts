// The box machine over a memory disk: numbers, chains, heads, quotas, and no answer before its write is durable.
import { MemoryDisk } from '@kith/node/kernel'
import { describe, expect, it, vi } from 'vitest'
import {
  accountOf,
  appendOf,
  benchWith,
  envelopeOf,
  expectSound,
  LIMITS,
  openBench,
  stranger,
  trusted,
  turns
} from './bench.ts'

describe('boxes', () => {
  it('sign the head of an empty box', async () => {
    const bench = await benchWith(1)
    expect(await expectSound(bench, 1)).toHaveLength(0)
  })

  it('number the entries of each box by itself', async () => {
    const bench = await benchWith(3)
    const numbers = []
    for (let seed = 0; seed < 5; seed++) {
      numbers.push(await bench.boxes.append(appendOf(envelopeOf(seed), trusted(1), trusted(2))))
    }
    numbers.push(await bench.boxes.append(appendOf(envelopeOf(9), trusted(2), trusted(3))))
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6])
    expect(await expectSound(bench, 1)).toHaveLength(5)
    expect(await expectSound(bench, 2)).toHaveLength(6)
    expect(await expectSound(bench, 3)).toHaveLength(1)
  })

  it('sign one commit for all appends that arrive while another is written', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(2, disk)
    const before = disk.operations
    disk.hold()
    const first = bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    await turns(20)
    const others = [1, 2, 3, 4].map((seed) =>
      bench.boxes.append(appendOf(envelopeOf(seed), trusted(1), trusted(2)))
    )
    await turns(20)
    disk.release()
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 3, 4, 5])
    expect(disk.operations - before).toBe(2)
    const [one, two] = [await bench.boxes.head(1), await bench.boxes.head(2)]
    expect(one.commit).toEqual(two.commit)
  })

  it('show after a restart the very head that they showed before', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(2, disk)
    bench.boxes.live.watch(1, { onEntries: () => {}, onSlot: () => {} })
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1), trusted(2)))
    const published = bench.boxes.live.head(1)
    expect(published).toBeDefined()
    await bench.boxes.stop()
    await bench.store.close()
    const again = await openBench(disk)
    expect(await again.boxes.head(1)).toEqual(published)
    expect(await expectSound(again, 1)).toHaveLength(1)
  })

  it('answer nothing before the transaction is durable', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(1, disk)
    disk.hold()
    let isAnswered = false
    const append = bench.boxes.append(appendOf(envelopeOf(0), trusted(1))).then(() => {
      isAnswered = true
    })
    await turns(50)
    expect(isAnswered).toBe(false)
    disk.release()
    await append
    expect(isAnswered).toBe(true)
  })

  it('keep the number of an envelope that is sent again, also after a restart', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(2, disk)
    const append = appendOf(envelopeOf(0), trusted(1), trusted(2))
    const answers = await Promise.all([bench.boxes.append(append), bench.boxes.append(append)])
    await bench.boxes.append(appendOf(envelopeOf(1), trusted(1)))
    answers.push(await bench.boxes.append(append))
    await bench.store.close()
    const again = await openBench(disk)
    answers.push(await again.boxes.append(append))
    expect(answers).toEqual([1, 1, 1, 1])
    expect(await expectSound(again, 1)).toHaveLength(2)
    expect(await expectSound(again, 2)).toHaveLength(1)
  })

  it('ask the store only about envelopes that may be there', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(1, disk)
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    await bench.store.close()
    const again = await openBench(disk)
    await turns(20)
    const asked = vi.spyOn(again.store, 'getMany')
    expect(await again.boxes.append(appendOf(envelopeOf(1), trusted(1)))).toBe(2)
    expect(asked).not.toHaveBeenCalled()
    expect(await again.boxes.append(appendOf(envelopeOf(0), trusted(1)))).toBe(1)
    expect(asked).toHaveBeenCalledOnce()
  })

  it('add a repeated envelope to the boxes where it is missing', async () => {
    const bench = await benchWith(3)
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1), trusted(2)))
    const number = await bench.boxes.append(
      appendOf(envelopeOf(0), trusted(1), trusted(2), trusted(3))
    )
    expect(number).toBe(1)
    expect(await expectSound(bench, 2)).toHaveLength(1)
    expect(await expectSound(bench, 3)).toHaveLength(1)
  })

  it('refuse an append as a whole when one destination is full', async () => {
    const bench = await benchWith(2)
    const quota = { code: 'quota', detail: 'destination-1-stranger-quota' }
    for (let seed = 0; seed < 3; seed++) {
      await bench.boxes.append(appendOf(envelopeOf(seed), trusted(1), stranger(2)))
    }
    const more = bench.boxes.append(appendOf(envelopeOf(3), trusted(1), stranger(2)))
    await expect(more).rejects.toMatchObject(quota)
    expect(await expectSound(bench, 1)).toHaveLength(3)
    expect(await bench.boxes.append(appendOf(envelopeOf(3), trusted(1), trusted(2)))).toBe(4)
  })

  it('count bytes of strangers too, and start anew once a device has acknowledged', async () => {
    const bench = await benchWith(2)
    await bench.boxes.append(appendOf(envelopeOf(0, 400), trusted(1), stranger(2)))
    const next = appendOf(envelopeOf(1, 400), trusted(1), stranger(2))
    await expect(bench.boxes.append(next)).rejects.toMatchObject({ code: 'quota' })
    bench.boxes.acknowledge(2, 1)
    expect(await bench.boxes.append(next)).toBe(2)
  })

  it('bound each stranger and all of them, in entries and in bytes, also after a restart', async () => {
    const disk = new MemoryDisk()
    const limits = {
      ...LIMITS,
      strangerEntriesMax: 5,
      strangerBytesMax: 1_000,
      eachStrangerEntriesMax: 2,
      eachStrangerBytesMax: 600
    }
    let bench = await openBench(disk, limits)
    for (const box of [1, 2, 3, 4]) await bench.boxes.open(box, accountOf(box))
    const quota = { code: 'quota', detail: 'destination-1-stranger-quota' }
    const send = (from: number, seed: number, length = 100) =>
      bench.boxes.append(appendOf(envelopeOf(seed, length), trusted(from), stranger(4)))
    await send(1, 1)
    await send(1, 2)
    await expect(send(1, 3)).rejects.toMatchObject(quota)
    await expect(send(2, 4, 601)).rejects.toMatchObject(quota)
    await send(2, 5, 500)
    await bench.boxes.stop()
    disk.crash()
    bench = await openBench(disk, limits)
    await expect(send(1, 3)).rejects.toMatchObject(quota)
    await expect(send(2, 6, 200)).rejects.toMatchObject(quota)
    await expect(send(3, 7, 301)).rejects.toMatchObject(quota)
    await send(3, 8)
    await send(3, 9)
    await expect(send(2, 10)).rejects.toMatchObject(quota)
    bench.boxes.acknowledge(4, 2)
    await send(1, 3)
    await send(2, 10)
  })

  it('refuse what does not fit a box', async () => {
    const bench = await openBench(new MemoryDisk(), {
      ...LIMITS,
      boxEntriesMax: 2,
      boxBytesMax: 1_000
    })
    for (const box of [1, 2]) await bench.boxes.open(box, accountOf(box))
    const full = { code: 'quota', detail: 'destination-0-full' }
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    await bench.boxes.append(appendOf(envelopeOf(1), trusted(1)))
    const third = bench.boxes.append(appendOf(envelopeOf(2), trusted(1)))
    await expect(third).rejects.toMatchObject(full)
    const large = bench.boxes.append(appendOf(envelopeOf(3, 1_001), trusted(2)))
    await expect(large).rejects.toMatchObject(full)
  })

  it('refuse with a time to wait when more arrives than a commit in flight lets wait', async () => {
    const disk = new MemoryDisk()
    const bench = await openBench(disk, {
      ...LIMITS,
      boxEntriesMax: 10_000,
      boxBytesMax: 10_000_000
    })
    await bench.boxes.open(1, accountOf(1))
    disk.hold()
    const first = bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    await turns(20)
    const waiting = Array.from({ length: 1_024 }, (_, seed) =>
      bench.boxes.append(appendOf(envelopeOf(seed + 1), trusted(1)))
    )
    const refused = bench.boxes.append(appendOf(envelopeOf(2_000), trusted(1)))
    await expect(refused).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 250 })
    disk.release()
    await first
    expect(new Set(await Promise.all(waiting)).size).toBe(1_024)
    expect(await expectSound(bench, 1)).toHaveLength(1_025)
  })

  it('answer nothing more once a write has failed', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(1, disk)
    disk.failAt(disk.operations + 1)
    const unavailable = { code: 'unavailable', detail: 'store-failed' }
    const appends = [0, 1].map((seed) => bench.boxes.append(appendOf(envelopeOf(seed), trusted(1))))
    for (const append of appends) await expect(append).rejects.toMatchObject(unavailable)
    const later = bench.boxes.append(appendOf(envelopeOf(2), trusted(1)))
    await expect(later).rejects.toMatchObject(unavailable)
    expect(bench.failures).toHaveLength(1)
  })

  it('come to rest also when what is being looked up turns out to be refused', async () => {
    const disk = new MemoryDisk()
    const bench = await openBench(disk, { ...LIMITS, boxEntriesMax: 1 })
    await bench.boxes.open(1, accountOf(1))
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    const refused = bench.boxes.append(appendOf(envelopeOf(1), trusted(1)))
    const repeated = bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    await Promise.all([
      bench.boxes.stop(),
      expect(refused).rejects.toMatchObject({ code: 'quota' }),
      expect(repeated).resolves.toBe(1)
    ])
  })

  it('let lazy writes ride with the next commit, or alone after a while', async () => {
    const disk = new MemoryDisk()
    const bench = await benchWith(1, disk)
    const before = disk.operations
    const write = { type: 'put', key: Uint8Array.of(0xf0), value: Uint8Array.of(1) } as const
    bench.boxes.writeLater('a', write)
    await turns(20)
    expect(disk.operations).toBe(before)
    await bench.boxes.append(appendOf(envelopeOf(0), trusted(1)))
    expect(disk.operations).toBe(before + 1)
    expect(await bench.store.get(write.key)).toEqual(write.value)
    const second = { ...write, value: Uint8Array.of(2) }
    bench.boxes.writeLater('a', second)
    bench.clock.runTimers()
    await bench.boxes.stop()
    expect(await bench.store.get(write.key)).toEqual(second.value)
  })
})
