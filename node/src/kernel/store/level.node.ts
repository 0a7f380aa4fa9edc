// The durable store: LevelDB (classic-level) with what it lacks, see LevelStore and openLevelStore.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import type { Log } from '../log.ts'
import { CommitQueue } from './commit-queue.ts'
import { readU64, u64 } from './key.ts'
import {
  callerKey,
  decodeValue,
  encodePut,
  encodeWrite,
  type LevelOperation,
  ownKey,
  recordKey
} from './level-record.node.ts'
import {
  AcknowledgedBound,
  createIdentity,
  type Identity,
  readHolder,
  readIdentity,
  removeHolder,
  replaceIdentity,
  SCHEMA,
  syncFolder,
  writeHolder
} from './level-side.node.ts'
import { checkLevelFiles, type LevelCheck } from './leveldb/check.node.ts'
import { type Range, type Store, StoreError, type Write } from './store.ts'

type Database = Level<Uint8Array, Uint8Array>

const LEVEL_FOLDER = 'level'
const FOLDER_MODE = 0o700
/** Codes of classic-level. */
const LOCKED = 'LEVEL_LOCKED'
const CORRUPTION = 'LEVEL_CORRUPTION'
const SENTINEL_KEY = ownKey('sentinel')
/** Number of the last batch, written with every batch: a store that lost its end says so. */
const BATCH_KEY = ownKey('batch')

export interface LevelStoreOptions {
  /** Created when absent, readable by its owner only. */
  readonly folder: string
  readonly log: Log
  /** What a second process is told about the holder; the process title unless given. */
  readonly command?: string
}

class LevelStore implements Store {
  readonly #database: Database
  readonly #folder: string
  readonly #bound: AcknowledgedBound
  readonly #log: Log
  readonly #queue: CommitQueue<LevelOperation>
  #batch: bigint
  #closing: Promise<void> | undefined

  constructor(init: { database: Database; folder: string; batch: bigint; log: Log }) {
    this.#database = init.database
    this.#folder = init.folder
    this.#batch = init.batch
    this.#log = init.log
    this.#bound = AcknowledgedBound.open(init.folder, (error) => this.#fail(error))
    this.#queue = new CommitQueue({
      encode: encodeWrite,
      apply: (operations) => this.#apply(operations)
    })
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const record = recordKey(key)
    const bytes = await this.#read(() => this.#database.get(record))
    return bytes === undefined ? undefined : decodeValue(record, bytes)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const records = keys.map(recordKey)
    const values = await this.#read(() => this.#database.getMany(records))
    return values.map((bytes, index) =>
      bytes === undefined ? undefined : decodeValue(records[index] as Uint8Array, bytes)
    )
  }

  async *scan({ from, to, reverse = false, limit = -1 }: Range) {
    this.#queue.check()
    const iterator = this.#database.iterator({
      gte: recordKey(from),
      lt: recordKey(to),
      reverse,
      limit
    })
    try {
      while (true) {
        const entry = await this.#read(() => iterator.next())
        if (entry === undefined) return
        yield [callerKey(entry[0]), decodeValue(entry[0], entry[1])] as const
      }
    } finally {
      await iterator.close()
    }
  }

  commit(writes: readonly Write[]): Promise<void> {
    return this.#queue.commit(writes)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.close()
    try {
      await this.#bound.close()
      await removeHolder(this.#folder)
    } catch (error) {
      // The bound may lag and the holder's file is only a name: neither is worth keeping the lock for.
      this.#log.warn('store side files not updated', { reason: codeOf(error) })
    } finally {
      await this.#database.close()
    }
  }

  async #apply(operations: readonly LevelOperation[]): Promise<void> {
    const batch = this.#batch + 1n
    try {
      await this.#database.batch([...operations, encodePut(BATCH_KEY, u64(batch))], { sync: true })
      this.#bound.raise(batch)
      this.#batch = batch
    } catch (error) {
      this.#log.error('store failed', { batch: Number(batch), reason: codeOf(error) })
      throw error
    }
  }

  /** A read. An I/O error stops the store; a table that LevelDB cannot parse spoils this read alone. */
  async #read<T>(action: () => Promise<T>): Promise<T> {
    this.#queue.check()
    try {
      return await action()
    } catch (error) {
      this.#queue.check()
      if (codeOf(error) === CORRUPTION) {
        throw new StoreError('corrupt', 'LevelDB cannot read a table', { cause: error })
      }
      throw this.#fail(error)
    }
  }

  #fail(error: unknown): StoreError {
    this.#log.error('store failed', { reason: codeOf(error) })
    return this.#queue.fail(error)
  }
}

/**
 * Opens the store in `folder`, creating it when there is none. What is there is checked before LevelDB opens it
 * and left as it is when it is not whole: nothing is ever repaired in place.
 *
 * @throws StoreError `in-use` naming the holder, `missing`, `corrupt`, `version`, or `failed`.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<Store> {
  const { folder, log, command = process.title } = options
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  const identity = (await readIdentity(folder)) ?? (await startIdentity(folder))
  const isNew = identity.state === 'creating'
  if (!isNew) await checkFiles(folder, log)
  const bound = isNew ? 0n : AcknowledgedBound.read(folder)
  const database = await openDatabase(folder, isNew)
  try {
    await writeHolder(folder, command)
    if (isNew) await finishCreation(folder, database, identity)
    const batch = await checkContent(database, identity, bound)
    return new LevelStore({ database, folder, batch, log })
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Refuses files that are not whole, before LevelDB could change them. */
async function checkFiles(folder: string, log: Log): Promise<void> {
  await probeLock(folder)
  try {
    const bound = AcknowledgedBound.read(folder)
    const check = await checkLevelFiles(join(folder, LEVEL_FOLDER), BATCH_KEY)
    const { batches, isTorn, uncheckedTables } = check
    if (uncheckedTables === 0) checkBatches(batches, bound)
    if (isTorn) log.warn('store log ends in an unfinished write')
    if (uncheckedTables > 0) log.warn('store tables left unchecked', { uncheckedTables })
  } catch (error) {
    // A process that took the store meanwhile makes its files look damaged.
    await probeLock(folder)
    throw error
  }
}

/** The log goes on where the tables end, and neither ends before what was acknowledged. */
function checkBatches(batches: LevelCheck['batches'], bound: bigint): void {
  const { inTables, firstInLog, lastInLog } = batches
  const numberOf = (value: Uint8Array) => readU64(decodeValue(BATCH_KEY, value))
  const next = inTables === undefined ? 0n : numberOf(inTables) + 1n
  if (firstInLog !== undefined && numberOf(firstInLog) > next) {
    throw new StoreError('missing', `the store lacks batches from ${next} on`)
  }
  requireBound(lastInLog === undefined ? next - 1n : numberOf(lastInLog), bound)
}

/**
 * Throws `in-use` when another process has the database. LevelDB takes its lock before it looks at
 * `errorIfExists`, so this asks for the lock and changes nothing.
 */
async function probeLock(folder: string): Promise<void> {
  const probe = new Level(join(folder, LEVEL_FOLDER), {
    createIfMissing: false,
    errorIfExists: true
  })
  try {
    await probe.open()
  } catch (error) {
    if (codeOf(error) === LOCKED) throw await inUse(folder, error)
    return
  }
  await probe.close()
}

/** The identity of a new store; refuses a folder where LevelDB's files lie without one. */
async function startIdentity(folder: string): Promise<Identity> {
  const level = join(folder, LEVEL_FOLDER)
  await mkdir(level, { recursive: true, mode: FOLDER_MODE })
  const files = await readdir(level)
  if (files.length > 0) throw new StoreError('missing', 'the store lost its side file')
  const identity: Identity = { schema: SCHEMA, id: randomUUID(), state: 'creating' }
  if (await createIdentity(folder, identity)) return identity
  return (await readIdentity(folder)) ?? identity
}

async function openDatabase(folder: string, isNew: boolean): Promise<Database> {
  const database: Database = new Level(join(folder, LEVEL_FOLDER), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: isNew,
    // Values are ciphertext, which does not compress.
    compression: false
  })
  try {
    await database.open()
    return database
  } catch (error) {
    if (codeOf(error) === LOCKED) throw await inUse(folder, error)
    if (codeOf(error) === CORRUPTION) {
      throw new StoreError('corrupt', 'LevelDB cannot read its own files', { cause: error })
    }
    throw new StoreError('failed', 'LevelDB cannot open the store', { cause: error })
  }
}

async function inUse(folder: string, cause: unknown): Promise<StoreError> {
  const holder = await readHolder(folder)
  const options = holder === undefined ? { cause } : { cause, holder }
  return new StoreError('in-use', 'the store is in use by another process', options)
}

/** Sentinel first, then the identity says `created`: from then on a store without one is not whole. */
async function finishCreation(folder: string, database: Database, identity: Identity) {
  const { schema, id } = identity
  const sentinel = new TextEncoder().encode(JSON.stringify({ schema, id }))
  AcknowledgedBound.create(folder)
  await database.batch([encodePut(SENTINEL_KEY, sentinel), encodePut(BATCH_KEY, u64(0))], {
    sync: true
  })
  await syncFolder(join(folder, LEVEL_FOLDER))
  await replaceIdentity(folder, { ...identity, state: 'created' })
}

/** Number of the last batch. Throws when the content is not this store's, or ends too early. */
async function checkContent(database: Database, identity: Identity, bound: bigint) {
  const [sentinel, last] = await database.getMany([SENTINEL_KEY, BATCH_KEY])
  if (sentinel === undefined || last === undefined) {
    throw new StoreError('missing', 'the store opened without its sentinel')
  }
  const text = new TextDecoder().decode(decodeValue(SENTINEL_KEY, sentinel))
  if ((JSON.parse(text) as Identity).id !== identity.id) {
    throw new StoreError('corrupt', 'sentinel and side file belong to different stores')
  }
  const batch = readU64(decodeValue(BATCH_KEY, last))
  requireBound(batch, bound)
  return batch
}

function requireBound(batch: bigint, bound: bigint): void {
  if (batch >= bound) return
  throw new StoreError('missing', `the store ends at batch ${batch}, ${bound} was acknowledged`)
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}
