// Damage at rest: flipped bits, cut files, removed files. Never a wrong value, never a record gone without an
// error, never an empty store taken for a healthy one, and what is refused stays as it was.
import { cp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLevelStore } from '../../../src/kernel/host/index.ts'
import { silentLog, u32 } from '../../../src/kernel/index.ts'
import { readLog } from '../../../src/kernel/store/leveldb/log-format.ts'
import { createImage, createNumbers, type Image, openDamaged, temporaryFolder } from './image.ts'
import { writeLog } from './leveldb/write-log.ts'

const SEED = Number(process.env.KITH_STORE_SEED ?? 20_261)
/** Flips in each class of file; a long run sets KITH_STORE_FLIPS. */
const FLIPS = Number(process.env.KITH_STORE_FLIPS ?? 45)
const MINUTES_MS = 60_000

/** The acknowledged bound 0 on disk. */
const ZERO_SLOT = Buffer.from('00000000000000006522df6900000000', 'hex')
/** A commit of the image: 10 records of up to 900 bytes, with their keys. */
const LAST_COMMIT_BYTES_MAX = 10_000

const CLASSES: Readonly<Record<string, RegExp>> = {
  'the write-ahead log': /^[0-9]+\.log$/,
  'a table': /\.ldb$/,
  'the manifest': /^MANIFEST/,
  CURRENT: /^CURRENT$/,
  'store.json': /^store\.json$/,
  acknowledged: /^acknowledged$/
}

let image: Image

beforeAll(async () => {
  image = await createImage(createNumbers(SEED))
})

afterAll(async () => {
  await image.remove()
})

test('the undamaged image opens with everything in it', async () => {
  expect(await withCopy(async () => {})).toBe('harmless')
})

describe.each(Object.keys(CLASSES))('%s', (kind) => {
  test(`one flipped bit is refused or harmless (seed ${SEED})`, {
    timeout: FLIPS * MINUTES_MS
  }, async () => {
    const numbers = createNumbers(SEED + kind.length)
    const counts: Record<string, number> = {}
    // Two slots of 16 bytes: a few flips say all.
    const flips = kind === 'acknowledged' ? FLIPS / 5 : FLIPS
    for (let flip = 0; flip < flips; flip += 1) {
      let what = ''
      const outcome = await withCopy(async (folder) => {
        const path = await pick(folder, kind, numbers)
        const bytes = await readFile(path)
        const [at, bit] = [numbers(bytes.byteLength), numbers(8)]
        what = `bit ${bit} of byte ${at} in ${path}`
        bytes[at] = (bytes[at] as number) ^ (1 << bit)
        await writeFile(path, bytes)
      }).catch((error: unknown) => {
        throw new Error(`seed ${SEED}, flip ${flip}: ${what}`, { cause: error })
      })
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
    console.info(`${kind}: ${JSON.stringify(counts)}`)
    // CURRENT and store.json have no spare bit; the bound has two slots, and its padding is spare.
    if (kind !== 'acknowledged') expect(counts['refused at open']).toBeGreaterThan(FLIPS * 0.9)
  })

  test(`a cut file is refused (seed ${SEED})`, { timeout: MINUTES_MS }, async () => {
    const numbers = createNumbers(SEED + 100 + kind.length)
    for (const share of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1]) {
      let what = ''
      const outcome = await withCopy(async (folder) => {
        const path = await pick(folder, kind, numbers)
        const { byteLength } = await readFile(path)
        const length = Math.min(Math.floor(byteLength * share), byteLength - 1)
        what = `${path} cut to ${length} of ${byteLength}`
        await truncate(path, length)
      })
      // One slot of the bound is enough, and a cut of its padding is nothing.
      if (kind === 'acknowledged' && share >= 0.5) expect(outcome, what).toBe('harmless')
      else expect(outcome, what).toBe('refused at open')
    }
  })

  test('a removed file is refused', async () => {
    const numbers = createNumbers(SEED)
    const outcome = await withCopy(async (folder) => rm(await pick(folder, kind, numbers)))
    expect(outcome).toBe('refused at open')
  })
})

test('a store whose LevelDB folder is gone, or emptied, is refused', async () => {
  expect(await withCopy((folder) => rm(join(folder, 'level'), { recursive: true }))).toBe(
    'refused at open'
  )
  const emptied = await withCopy(async (folder) => {
    for (const name of await readdir(join(folder, 'level'))) await rm(join(folder, 'level', name))
  })
  expect(emptied).toBe('refused at open')
})

test(`a bound that a power failure set back still notices a hole in the log (seed ${SEED})`, async () => {
  const numbers = createNumbers(SEED + 200)
  for (let flip = 0; flip < FLIPS / 3; flip += 1) {
    const outcome = await withCopy(async (folder) => {
      // Both slots say 0: eight zero bytes and their CRC-32.
      await writeFile(join(folder, 'acknowledged'), Buffer.alloc(32, ZERO_SLOT))
      const path = await pick(folder, 'the write-ahead log', numbers)
      const bytes = await readFile(path)
      // Not in the last record: that one could be half a write.
      const at = numbers(bytes.byteLength - LAST_COMMIT_BYTES_MAX)
      bytes[at] = (bytes[at] as number) ^ (1 << numbers(8))
      await writeFile(path, bytes)
    })
    expect(outcome).toBe('refused at open')
  }
})

test('a log that lacks one batch, every checksum right, is refused', async () => {
  for (const lost of [0, 1, 10, -2]) {
    const outcome = await withCopy(async (folder) => {
      const path = await pick(folder, 'the write-ahead log', createNumbers(SEED))
      const { records } = readLog(await readFile(path))
      await writeFile(path, writeLog(records.toSpliced(lost, 1)))
    })
    expect(outcome, `batch ${lost}`).toBe('refused at open')
  }
})

test('a removed log is refused even if a power failure set the bound back', async () => {
  const outcome = await withCopy(async (folder) => {
    await writeFile(join(folder, 'acknowledged'), Buffer.alloc(32, ZERO_SLOT))
    await rm(await pick(folder, 'the write-ahead log', createNumbers(SEED)))
  })
  expect(outcome).toBe('refused at open')
})

test('a value that rots while the store is open is refused when it is read', async () => {
  const folder = await temporaryFolder()
  const value = new Uint8Array(2_000).fill(7)
  const writes = [1, 2, 3].map((number) => ({ type: 'put' as const, key: u32(number), value }))
  const before = await openLevelStore({ folder, log: silentLog })
  await before.commit(writes)
  await before.close()
  // Opening moves the log into a table, which LevelDB maps into memory.
  const store = await openLevelStore({ folder, log: silentLog })
  const names = await readdir(join(folder, 'level'))
  const path = join(folder, 'level', names.find((name) => name.endsWith('.ldb')) ?? '')
  const at = (await readFile(path)).indexOf(Buffer.from(value)) + 1_000
  const file = await open(path, 'r+')
  await file.write(new Uint8Array([6]), 0, 1, at)
  await file.close()
  const rejection = { code: 'corrupt', message: expect.stringContaining('a record of class') }
  await expect(store.get(u32(1))).rejects.toMatchObject(rejection)
  await expect(store.getMany([u32(2), u32(1)])).rejects.toMatchObject(rejection)
  expect(await store.get(u32(2))).toEqual(value)
  const scan = async () => {
    for await (const _entry of store.scan({ from: u32(0), to: u32(9) }));
  }
  await expect(scan()).rejects.toMatchObject(rejection)
  await store.close()
  await rm(folder, { recursive: true })
})

async function withCopy(damage: (folder: string) => Promise<void>) {
  const folder = await temporaryFolder()
  try {
    await cp(image.folder, folder, { recursive: true })
    await damage(folder)
    return await openDamaged(folder, image.content)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A file of the class that has content. */
async function pick(folder: string, kind: string, numbers: (below: number) => number) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths: string[] = []
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !CLASSES[kind]?.test(entry.name)) continue
    if ((await readFile(path)).byteLength > 0) paths.push(path)
  }
  return paths.sort()[numbers(paths.length)] as string
}
