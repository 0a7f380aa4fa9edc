// What is kept next to LevelDB so that a store can tell that LevelDB lost something: who the store is
// (store.json), and a lower bound of what was acknowledged (acknowledged). holder.json only puts a name to the
// process that holds LevelDB's own lock.
import { randomUUID } from 'node:crypto'
import { closeSync, fdatasync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { StoreError } from './store.ts'

/** Layout of records and side files. A higher number on disk refuses to open: it would be misread. */
export const SCHEMA = 1
const IDENTITY_FILE = 'store.json'
const ACKNOWLEDGED_FILE = 'acknowledged'
const HOLDER_FILE = 'holder.json'
const FILE_MODE = 0o600
/** One slot: batch number (u64), CRC-32 of it (u32), padding. Two, used in turn: a torn write spoils one. */
const SLOT_BYTES = 16
const SLOTS = 2
const NUMBER_BYTES = 8
/**
 * Batches between two syncs of the bound. A power failure takes the bound back to the last sync (or to what
 * the system wrote out by itself, about 30 s); the bound stays true, it only sees less. 1,024 batches share
 * one fsync, so it costs nothing measurable.
 */
const ACKNOWLEDGED_SYNC_BATCHES = 1_024

export interface Identity {
  readonly schema: number
  /** Random, the same in LevelDB's sentinel. */
  readonly id: string
  /** `creating` until the sentinel is on disk: until then nothing was acknowledged. */
  readonly state: 'creating' | 'created'
}

/** The identity, or undefined when there is none. Throws `corrupt` or `version`. */
export async function readIdentity(folder: string): Promise<Identity | undefined> {
  const text = await readOptional(join(folder, IDENTITY_FILE))
  if (text === undefined) return undefined
  const json = text.split('\n', 1)[0] ?? ''
  if (text !== withChecksum(json)) throw new StoreError('corrupt', `${IDENTITY_FILE} is damaged`)
  const identity = JSON.parse(json) as Identity
  if (identity.schema > SCHEMA) {
    throw new StoreError(
      'version',
      `the store has schema ${identity.schema}, this program knows ${SCHEMA}`
    )
  }
  return identity
}

/** Writes the first identity; false when another process was first. */
export async function createIdentity(folder: string, identity: Identity): Promise<boolean> {
  const temporary = join(folder, `${IDENTITY_FILE}.${randomUUID()}`)
  await writeSynced(temporary, render(identity))
  try {
    await link(temporary, join(folder, IDENTITY_FILE))
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(temporary)
    await syncFolder(folder)
  }
}

/** Replaces the identity atomically and durably. */
export async function replaceIdentity(folder: string, identity: Identity): Promise<void> {
  const temporary = join(folder, `${IDENTITY_FILE}.${randomUUID()}`)
  await writeSynced(temporary, render(identity))
  await rename(temporary, join(folder, IDENTITY_FILE))
  await syncFolder(folder)
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The number of the last acknowledged batch, or one a little lower; never higher. */
export class AcknowledgedBound {
  readonly #descriptor: number
  readonly #onFailure: (error: Error) => void
  #syncing: Promise<void> | undefined

  private constructor(descriptor: number, onFailure: (error: Error) => void) {
    this.#descriptor = descriptor
    this.#onFailure = onFailure
  }

  /** Creates the file with bound 0, durably. */
  static create(folder: string): void {
    const descriptor = openSync(join(folder, ACKNOWLEDGED_FILE), 'w', FILE_MODE)
    try {
      for (let slot = 0; slot < SLOTS; slot += 1) writeSlot(descriptor, slot, 0n)
      fdatasyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  /** Reads the bound. Throws `missing` without the file and `corrupt` when no slot is whole. */
  static read(folder: string): bigint {
    const descriptor = openBound(folder, 'r')
    try {
      let bound = -1n
      for (let slot = 0; slot < SLOTS; slot += 1) {
        const number = readSlot(descriptor, slot)
        if (number !== undefined && number > bound) bound = number
      }
      if (bound < 0n) throw new StoreError('corrupt', `${ACKNOWLEDGED_FILE} is damaged`)
      return bound
    } finally {
      closeSync(descriptor)
    }
  }

  static open(folder: string, onFailure: (error: Error) => void): AcknowledgedBound {
    return new AcknowledgedBound(openBound(folder, 'r+'), onFailure)
  }

  /** Records that `batch` is on disk. In the page cache at once: it outlives the process, see above. */
  raise(batch: bigint): void {
    writeSlot(this.#descriptor, Number(batch % BigInt(SLOTS)), batch)
    if (batch % BigInt(ACKNOWLEDGED_SYNC_BATCHES) !== 0n || this.#syncing !== undefined) return
    this.#syncing = new Promise((resolve) => {
      fdatasync(this.#descriptor, (error) => {
        this.#syncing = undefined
        if (error !== null) this.#onFailure(error)
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    await this.#syncing
    try {
      fdatasyncSync(this.#descriptor)
    } finally {
      closeSync(this.#descriptor)
    }
  }
}

/** Leaves a name for whoever finds the store locked. */
export async function writeHolder(folder: string, command: string): Promise<void> {
  const handle = await open(join(folder, HOLDER_FILE), 'w', FILE_MODE)
  try {
    await handle.writeFile(JSON.stringify({ pid: process.pid, command }))
  } finally {
    await handle.close()
  }
}

/** Takes the name away again; nothing happens when there is none. */
export async function removeHolder(folder: string): Promise<void> {
  await rm(join(folder, HOLDER_FILE), { force: true })
}

/** `process 4711 (kith)`, or undefined when the file names nobody alive. */
export async function readHolder(folder: string): Promise<string | undefined> {
  const text = await readOptional(join(folder, HOLDER_FILE))
  if (text === undefined) return undefined
  try {
    const { pid, command } = JSON.parse(text) as { pid: number; command: string }
    return isAlive(pid) ? `process ${pid} (${command})` : undefined
  } catch {
    // The file only names the holder of a lock that LevelDB keeps: half of it names nobody.
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function openBound(folder: string, flags: string): number {
  try {
    return openSync(join(folder, ACKNOWLEDGED_FILE), flags)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    throw new StoreError('missing', `${ACKNOWLEDGED_FILE} is gone`, { cause: error })
  }
}

function writeSlot(descriptor: number, slot: number, number: bigint): void {
  const bytes = Buffer.alloc(SLOT_BYTES)
  bytes.writeBigUInt64BE(number)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, NUMBER_BYTES)), NUMBER_BYTES)
  writeSync(descriptor, bytes, 0, SLOT_BYTES, slot * SLOT_BYTES)
}

function readSlot(descriptor: number, slot: number): bigint | undefined {
  const bytes = Buffer.alloc(SLOT_BYTES)
  if (readSync(descriptor, bytes, 0, SLOT_BYTES, slot * SLOT_BYTES) < SLOT_BYTES) return undefined
  const isWhole = bytes.readUInt32BE(NUMBER_BYTES) === crc32(bytes.subarray(0, NUMBER_BYTES))
  return isWhole ? bytes.readBigUInt64BE() : undefined
}

function render(identity: Identity): string {
  return withChecksum(JSON.stringify(identity))
}

function withChecksum(json: string): string {
  return `${json}\n${crc32(json).toString(16).padStart(8, '0')}\n`
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', FILE_MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
