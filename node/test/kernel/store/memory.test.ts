// The memory twin's own controls: what a test can do with its disk.
import { expect, test } from 'vitest'
import { MemoryDisk, openMemoryStore, u32 } from '../../../src/kernel/index.ts'

const put = (number: number) => [{ type: 'put' as const, key: u32(number), value: u32(number) }]

test('a held sync holds every acknowledgement, and commits meanwhile share the next batch', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  disk.hold()
  const settled: number[] = []
  const commits = [1, 2, 3].map(async (number) => {
    // The first goes out alone; the others arrive while it syncs.
    if (number > 1) await turn()
    await store.commit(put(number))
    settled.push(number)
  })
  await turn()
  await turn()
  expect(settled).toEqual([])
  expect(await store.get(u32(1))).toBe(undefined)
  disk.release()
  await Promise.all(commits)
  expect(settled).toEqual([1, 2, 3])
  expect(disk.operations).toBe(2)
})

test('a crash drops what was not synced and cuts the open store off', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  await store.commit(put(1))
  disk.hold()
  const lost = store.commit(put(2)).catch((error: unknown) => error)
  await turn()
  disk.crash()
  expect(await lost).toMatchObject({ code: 'failed' })
  await expect(store.get(u32(1))).rejects.toMatchObject({ code: 'failed' })
  await expect(store.commit(put(3))).rejects.toMatchObject({ code: 'failed' })
  const again = openMemoryStore(disk)
  expect(await again.getMany([u32(1), u32(2), u32(3)])).toEqual([u32(1), undefined, undefined])
  // The old store closing late does not take the disk from the new one.
  await store.close()
  expect(() => openMemoryStore(disk)).toThrow('in use')
})

test('one disk has one open store', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  expect(() => openMemoryStore(disk)).toThrow(expect.objectContaining({ code: 'in-use' }))
  await store.close()
  await openMemoryStore(disk).close()
})

/** Lets everything run that does not wait for the disk. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
