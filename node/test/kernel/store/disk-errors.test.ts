// A disk that refuses to write: after the first error nothing is acknowledged, everything acknowledged before
// is there once the disk is well again.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, expect, test, vi } from 'vitest'
import { openLevelStore } from '../../../src/kernel/host/index.ts'
import { MemoryDisk, openMemoryStore, silentLog, u32 } from '../../../src/kernel/index.ts'
import { temporaryFolder } from './image.ts'
import { acknowledged, findLost, startWriter, VALUE_BYTES } from './process.ts'

const DISK_BYTES = 16 * 1_048_576
const BALLAST_BYTES = 8 * 1_048_576
const MINUTE_MS = 60_000

const mountPoint = await temporaryFolder()
const isMounted = mountDisk()

afterAll(() => {
  // Lazily: a store that a failed test left open would keep the mount.
  if (isMounted) execFileSync('/bin/umount', ['--lazy', mountPoint])
  rmSync(mountPoint, { recursive: true })
})

test.skipIf(!isMounted)(
  'a full disk stops the store and loses nothing acknowledged',
  { timeout: MINUTE_MS },
  async () => {
    const ballast = join(mountPoint, 'ballast')
    const folder = join(mountPoint, 'store')
    await writeFile(ballast, new Uint8Array(BALLAST_BYTES))
    const store = await openLevelStore({ folder, log: silentLog })
    const kept: number[] = []
    const errors: unknown[] = []
    const acknowledgedAfterError: number[] = []
    // Far more than fits, and on after the first error as a careless caller would.
    for (let first = 0; first < 24_000 && errors.length < 200; first += 16) {
      await Promise.all(
        Array.from({ length: 16 }, async (_, index) => {
          const number = first + index
          const value = new Uint8Array(VALUE_BYTES).fill(number % 251)
          try {
            await store.commit([{ type: 'put', key: u32(number), value }])
            kept.push(number)
            if (errors.length > 0) acknowledgedAfterError.push(number)
          } catch (error) {
            errors.push(error)
          }
        })
      )
    }
    expect(kept.length).toBeGreaterThan(1_000)
    expect(errors.length).toBeGreaterThanOrEqual(200)
    for (const error of errors) expect(error).toMatchObject({ code: 'failed' })
    expect(acknowledgedAfterError).toEqual([])
    await expect(store.get(u32(0))).rejects.toMatchObject({ code: 'failed' })
    await store.close()
    await rm(ballast)
    expect(await findLost(folder, kept)).toEqual([])
  }
)

test('a write error in the middle of a log stops the store and loses nothing acknowledged', {
  timeout: MINUTE_MS
}, async () => {
  const folder = await temporaryFolder()
  // A file that may not grow past 1,000 blocks of 512 bytes: the kernel answers EFBIG.
  const writer = startWriter(folder, 0, { shell: 'ulimit -f 1000;' })
  const lines: string[] = []
  for await (const line of writer.lines) lines.push(line)
  await writer.ended
  const firstError = lines.findIndex((line) => line.startsWith('error '))
  const kept = acknowledged(lines)
  expect(kept.length).toBeGreaterThan(500)
  expect(firstError).toBeGreaterThan(0)
  expect(acknowledged(lines.slice(firstError))).toEqual([])
  expect(new Set(lines.filter((line) => line.startsWith('error ')))).toEqual(
    new Set(['error failed'])
  )
  expect(lines).toContain('read failed')
  expect(lines.at(-1)).toBe('done')
  expect(await findLost(folder, kept)).toEqual([])
  await rm(folder, { recursive: true })
})

test('every batch is synced, and says its number', async () => {
  const folder = await temporaryFolder()
  const batch = vi.spyOn(Level.prototype, 'batch')
  try {
    const store = await openLevelStore({ folder, log: silentLog })
    const put = (number: number) =>
      store.commit([{ type: 'put', key: u32(number), value: u32(number) }])
    await put(1)
    await Promise.all([put(2), put(3)])
    await store.close()
    // Creation, the first commit, the other two in one.
    expect(batch.mock.calls.map((call: unknown[]) => (call[0] as unknown[]).length)).toEqual([
      2, 2, 3
    ])
    for (const call of batch.mock.calls as unknown[][]) expect(call[1]).toEqual({ sync: true })
  } finally {
    batch.mockRestore()
    await rm(folder, { recursive: true })
  }
})

test('the memory twin stops at an injected error in the same way', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  const put = (number: number) =>
    store.commit([{ type: 'put', key: u32(number), value: u32(number) }])
  await put(1)
  disk.failAt(disk.operations + 1)
  const settled = await Promise.allSettled([put(2), put(3)])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(put(4)).rejects.toMatchObject({ code: 'failed' })
  await expect(store.get(u32(1))).rejects.toMatchObject({ code: 'failed' })
  await store.close()
  const again = openMemoryStore(disk)
  expect(await again.getMany([1, 2, 3, 4].map(u32))).toEqual([
    u32(1),
    undefined,
    undefined,
    undefined
  ])
})

function mountDisk(): boolean {
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', mountPoint], {
      stdio: 'pipe'
    })
    return true
  } catch (error) {
    console.warn(
      `no full-disk test: mounting a tmpfs was refused (${String(error).split('\n')[0]})`
    )
    return false
  }
}
