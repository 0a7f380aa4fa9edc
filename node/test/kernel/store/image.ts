// A store on disk as a killed process leaves it, to be damaged and opened: some content in tables, some still
// in the write-ahead log.
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore } from '../../../src/kernel/host/index.ts'
import { type Store, StoreError, silentLog, u32 } from '../../../src/kernel/index.ts'

export interface Image {
  readonly folder: string
  /** What was acknowledged: number of the key → value. */
  readonly content: ReadonlyMap<number, Uint8Array>
  remove(): Promise<void>
}

/** mulberry32: the same numbers for the same seed. */
export function createNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'kith-store-'))
}

/** Three sessions that end up in tables, and a fourth that is copied while open. */
export async function createImage(numbers: (below: number) => number): Promise<Image> {
  const live = await temporaryFolder()
  const folder = await temporaryFolder()
  const content = new Map<number, Uint8Array>()
  for (let session = 0; session < 4; session += 1) {
    const store = await openLevelStore({ folder: live, log: silentLog })
    for (let commit = 0; commit < 20; commit += 1) {
      const writes = Array.from({ length: 1 + numbers(10) }, () => {
        const value = Uint8Array.from({ length: numbers(900) }, () => numbers(256))
        const number = numbers(2_000)
        content.set(number, value)
        return { type: 'put' as const, key: u32(number), value }
      })
      await store.commit(writes)
    }
    if (session === 3) await cp(live, folder, { recursive: true })
    await store.close()
  }
  await rm(live, { recursive: true })
  return { folder, content, remove: () => rm(folder, { recursive: true }) }
}

export type Outcome = 'refused at open' | 'refused at read' | 'harmless'

/**
 * Opens a damaged store and reads everything. Throws when anything but a StoreError or the content comes out,
 * or when refusing changed a file.
 */
export async function openDamaged(
  folder: string,
  content: ReadonlyMap<number, Uint8Array>
): Promise<Outcome> {
  const before = await readTree(folder)
  let store: Store
  try {
    store = await openLevelStore({ folder, log: silentLog })
  } catch (error) {
    requireRefusal(error)
    requireSameTree(before, await readTree(folder))
    return 'refused at open'
  }
  try {
    return await readAll(store, content)
  } finally {
    await store.close()
  }
}

async function readAll(store: Store, content: ReadonlyMap<number, Uint8Array>): Promise<Outcome> {
  let outcome: Outcome = 'harmless'
  const refused = (error: unknown) => {
    requireRefusal(error)
    outcome = 'refused at read'
  }
  for (const [number, value] of content) {
    try {
      requireSame(number, await store.get(u32(number)), value)
    } catch (error) {
      refused(error)
    }
  }
  try {
    const seen = new Set<number>()
    for await (const [key, value] of store.scan({ from: u32(0), to: u32(0xffff_ffff) })) {
      const number = new DataView(key.buffer, key.byteOffset).getUint32(0)
      requireSame(number, value, content.get(number))
      seen.add(number)
    }
    if (seen.size !== content.size) throw new Error(`a scan saw ${seen.size} of ${content.size}`)
  } catch (error) {
    refused(error)
  }
  return outcome
}

function requireSame(number: number, read: Uint8Array | undefined, value: Uint8Array | undefined) {
  const isSame = read !== undefined && value !== undefined && Buffer.compare(read, value) === 0
  if (!isSame) throw new Error(`record ${number}: ${read === undefined ? 'gone' : 'wrong bytes'}`)
}

function requireRefusal(error: unknown): void {
  const codes = ['corrupt', 'missing', 'version']
  if (error instanceof StoreError && codes.includes(error.code)) return
  throw error
}

/** Every file but those that LevelDB renews whenever it is asked for its lock. */
async function readTree(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^(LOG|LOG\.old|LOCK)$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    files.set(path, (await readFile(path)).toString('latin1'))
  }
  return files
}

function requireSameTree(before: Map<string, string>, after: Map<string, string>): void {
  const names = new Set([...before.keys(), ...after.keys()])
  for (const name of names) {
    if (before.get(name) !== after.get(name)) throw new Error(`refusing changed ${name}`)
  }
}
