// The durable store: LevelDB (classic-level) and what it lacks. Against each of its faults:
// - It acknowledges writes that vanish after a failed one: the first error stops the store for good.
// - It serves flipped bits: a checksum over key and value in every record (level-record.node.ts), and every table
//   is checked when the store opens (leveldb/table-format.ts), because a damaged key or filter hides a record.
// - It drops damaged stretches of its log, and opens an older or empty state without an error: its files are
//   read strictly before it opens them (leveldb/check.node.ts); batches are numbered through.
// - It cannot tell a log that ends too early from one that a dying writer left: a side file holds the number of
//   the last acknowledged batch. It is written after the batch is on disk and before the acknowledgement, but not
//   synced (2 µs; a second fsync would double the cost of a commit). So it is exact after a crash of the process
//   and at rest, and a little low after a power failure: then the last seconds of the log, and nothing else, rest
//   on LevelDB's own checksums.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Level } from 'level'
import type { Failpoint } from '../failpoint.ts'
import type { Log } from '../log.ts'
import { CommitQueue } from './commit-queue.ts'
import { u64 } from './key.ts'
import {
  callerKey,
  decodeValue,
  encodePut,
  encodeWrite,
  type LevelOperation,
  recordKey
} from './level-record.node.ts'
import {
  AcknowledgedBound,
  createIdentity,
  type Identity,
  readIdentity,
  removeHolder,
  replaceIdentity,
  SCHEMA,
  syncFolder,
  writeHolder
} from './level-side.node.ts'
import {
  BATCH_KEY,
  CORRUPTION,
  checkContent,
  checkFiles,
  codeOf,
  type Database,
  inUse,
  LEVEL_FOLDER,
  LOCKED,
  SENTINEL_KEY
} from './level-whole.node.ts'
import { type Range, type Store, StoreError, type Write } from './store.ts'

const FOLDER_MODE = 0o700

export interface LevelStoreOptions {
  /** Created when absent, readable by its owner only. */
  readonly folder: string
  readonly log: Log
  /** What a second process is told about the holder; the name of the running script unless given. */
  readonly command?: string
  readonly failpoint?: Failpoint | undefined
}

class LevelStore implements Store {
  readonly #database: Database
  readonly #folder: string
  readonly #bound: AcknowledgedBound
  readonly #log: Log
  readonly #failpoint: Failpoint | undefined
  readonly #queue: CommitQueue<LevelOperation>
  #batch: bigint
  #closing: Promise<void> | undefined

  constructor(
    init: { database: Database; batch: bigint },
    { folder, log, failpoint }: LevelStoreOptions
  ) {
    this.#database = init.database
    this.#folder = folder
    this.#batch = init.batch
    this.#log = log
    this.#failpoint = failpoint
    this.#bound = AcknowledgedBound.open(folder, (error) => this.#fail(error))
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
      this.#failpoint?.('store-batch')
      await this.#database.batch([...operations, encodePut(BATCH_KEY, u64(batch))], { sync: true })
      this.#failpoint?.('store-bound')
      this.#bound.raise(batch)
      this.#batch = batch
      this.#failpoint?.('store-told')
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
  const { folder, log, command = scriptName() } = options
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
    return new LevelStore({ database, batch }, options)
  } catch (error) {
    await database.close()
    throw error
  }
}

function scriptName(): string {
  return basename(process.argv[1] ?? process.title)
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

/** Sentinel and every folder's name first, then the identity says `created`: from then on a store without one is not whole. */
async function finishCreation(folder: string, database: Database, identity: Identity) {
  const { schema, id } = identity
  const sentinel = new TextEncoder().encode(JSON.stringify({ schema, id }))
  AcknowledgedBound.create(folder)
  await database.batch([encodePut(SENTINEL_KEY, sentinel), encodePut(BATCH_KEY, u64(0))], {
    sync: true
  })
  for (const name of [join(folder, LEVEL_FOLDER), folder, dirname(folder)]) await syncFolder(name)
  await replaceIdentity(folder, { ...identity, state: 'created' })
}
