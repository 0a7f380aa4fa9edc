// Whether a store is whole, in LevelDB's terms (leveldb/check.node.ts) and in its own: whose it is, and whether
// it goes as far as what was acknowledged.
import { join } from 'node:path'
import { Level } from 'level'
import type { Log } from '../log.ts'
import { readU64 } from './key.ts'
import { decodeValue, ownKey } from './level-record.node.ts'
import { AcknowledgedBound, type Identity, readHolder } from './level-side.node.ts'
import { checkLevelFiles, type LevelCheck } from './leveldb/check.node.ts'
import { StoreError } from './store.ts'

export type Database = Level<Uint8Array, Uint8Array>

/** Inside the store's folder; the side files lie next to it. */
export const LEVEL_FOLDER = 'level'
/** Schema and id, the same as in the side file. */
export const SENTINEL_KEY = ownKey('sentinel')
/** Number of the last batch, written with every batch: a store that lost its end says so. */
export const BATCH_KEY = ownKey('batch')
/** Codes of classic-level. */
export const LOCKED = 'LEVEL_LOCKED'
export const CORRUPTION = 'LEVEL_CORRUPTION'

/** Refuses files that are not whole, before LevelDB could change them. */
export async function checkFiles(folder: string, log: Log): Promise<void> {
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

/** The refusal, naming the holder if it left a name and is alive. */
export async function inUse(folder: string, cause: unknown): Promise<StoreError> {
  const holder = await readHolder(folder)
  const options = holder === undefined ? { cause } : { cause, holder }
  return new StoreError('in-use', 'the store is in use by another process', options)
}

/** Number of the last batch. Throws when the content is not this store's, or ends too early. */
export async function checkContent(database: Database, identity: Identity, bound: bigint) {
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

/** The code of an error or of what caused it. */
export function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}
