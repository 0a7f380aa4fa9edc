// Reads LevelDB's files before LevelDB does, and changes nothing. LevelDB 1.20 opens what it can read: it skips
// damaged stretches of its log with a line in LOG, takes a length that points past the end for the end, starts
// from an older state when the manifest is cut, and then deletes the files it no longer knows. So damage must be
// seen before it opens: afterwards the evidence, and what could be saved, is gone.
//
// Found here: files that are absent or cut, and every flipped bit in the manifest, in the log and in tables,
// with two limits. The end of the log: a record that a dying writer left half written looks like a damaged last
// record, so there the caller's bound decides (`batches`). Large stores: see TABLE_BYTES_MAX.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../store.ts'
import { FormatError } from './cursor.ts'
import { type LogContent, readLog } from './log-format.ts'
import { type Batch, type Manifest, readBatch, readManifest, readPut } from './records.ts'
import { checkTable, findNewest, type Versioned } from './table-format.ts'

/**
 * Bytes of tables checked when a store opens, newest tables first: two seconds at 580 MB/s (measured). A device
 * never comes near it. A relay with more gets the newest part checked and a warning; records are checked again
 * at each read, so what remains unseen is a record that vanishes by a damaged key, index or filter.
 */
const TABLE_BYTES_MAX = 1_073_741_824

const MISSING_CODE = 'ENOENT'

export interface LevelCheck {
  /** Values under `batchKey`, which every batch writes. */
  readonly batches: {
    /** Newest in the tables; undefined when there is none, or when tables were left unchecked. */
    readonly inTables: Uint8Array | undefined
    /** Oldest and newest in the write-ahead log; undefined when the log is empty. */
    readonly firstInLog: Uint8Array | undefined
    readonly lastInLog: Uint8Array | undefined
  }
  /** The log ended in something that is no record. */
  readonly isTorn: boolean
  readonly tables: number
  /** Tables left out by TABLE_BYTES_MAX. */
  readonly uncheckedTables: number
}

/**
 * Checks the files of a LevelDB database that no process has open.
 *
 * @throws StoreError `missing` when files are gone, `corrupt` when they are not what LevelDB wrote.
 */
export async function checkLevelFiles(folder: string, batchKey: Uint8Array): Promise<LevelCheck> {
  const manifest = await readCurrentManifest(folder)
  const names = await readdir(folder)
  const { inTables, uncheckedTables } = await checkTables(folder, manifest, batchKey)
  const { first, last, isTorn } = await checkLogs(folder, names, manifest)
  const batchOf = (record: Uint8Array | undefined) =>
    record === undefined ? undefined : parse('the log', () => readPut(record, batchKey))
  return {
    batches: {
      inTables: uncheckedTables === 0 ? inTables : undefined,
      firstInLog: batchOf(first),
      lastInLog: batchOf(last)
    },
    isTorn,
    tables: manifest.tables.size,
    uncheckedTables
  }
}

async function readCurrentManifest(folder: string): Promise<Manifest> {
  const current = new TextDecoder().decode(await readLevelFile(folder, 'CURRENT'))
  const name = /^(MANIFEST-[0-9]{6,})\n$/.exec(current)?.[1]
  if (name === undefined) throw new StoreError('corrupt', 'CURRENT names no manifest')
  const { records, end } = readLog(await readLevelFile(folder, name))
  if (end === 'broken' || records.length === 0)
    throw new StoreError('corrupt', `${name} is damaged`)
  // A manifest that ends early describes an older state, which is whole as long as its files are still there.
  return parse(name, () => readManifest(records))
}

async function checkTables(folder: string, { tables }: Manifest, batchKey: Uint8Array) {
  let bytes = 0
  let uncheckedTables = 0
  let newest: Versioned | undefined
  for (const [number, size] of [...tables].sort(([a], [b]) => b - a)) {
    bytes += size
    if (bytes > TABLE_BYTES_MAX) {
      uncheckedTables += 1
      continue
    }
    const name = tableName(number)
    const content = await readLevelFile(folder, name)
    if (content.byteLength !== size) {
      throw new StoreError('corrupt', `${name} has ${content.byteLength} bytes, not ${size}`)
    }
    parse(name, () => checkTable(content))
    const found = parse(name, () => findNewest(content, batchKey))
    if (found !== undefined && found.sequence > (newest?.sequence ?? -1)) newest = found
  }
  return { inTables: newest?.value, uncheckedTables }
}

/** All logs that the manifest needs: there, readable, and their operations numbered without a gap. */
async function checkLogs(folder: string, names: readonly string[], { logNumber }: Manifest) {
  const numbers = names
    .flatMap((name) => /^([0-9]{6,})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => number >= logNumber)
    .sort((a, b) => a - b)
  if (logNumber > 0 && numbers[0] !== logNumber) {
    throw new StoreError('missing', `${logName(logNumber)} is gone`)
  }
  let first: Uint8Array | undefined
  let last: Uint8Array | undefined
  let ended: LogContent['end'] = 'whole'
  let isGap = false
  for (const number of numbers) {
    const name = logName(number)
    const { records, end } = readLog(await readLevelFile(folder, name))
    const isBehind = records.length > 0 && (isGap || !follows(name, last, records[0]))
    if (end === 'broken' || isBehind) throw new StoreError('corrupt', `${name} lost records`)
    for (const record of records) {
      if (!follows(name, last, record)) throw new StoreError('corrupt', `${name} lost records`)
      first ??= record
      last = record
    }
    // A log with a successor has records, unless the successor was only just begun.
    isGap ||= records.length === 0 || end === 'torn'
    if (end === 'torn') ended = end
  }
  return { first, last, isTorn: ended === 'torn' }
}

function follows(
  name: string,
  last: Uint8Array | undefined,
  next: Uint8Array | undefined
): boolean {
  if (last === undefined || next === undefined) return true
  const before: Batch = parse(name, () => readBatch(last))
  return parse(name, () => readBatch(next)).sequence === before.sequence + before.count
}

function parse<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new StoreError('corrupt', `${name} is damaged: ${error.message}`, { cause: error })
  }
}

async function readLevelFile(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name))
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === MISSING_CODE
    if (isMissing) throw new StoreError('missing', `${name} is gone`, { cause: error })
    throw new StoreError('failed', `${name} cannot be read`, { cause: error })
  }
}

function logName(number: number): string {
  return `${String(number).padStart(6, '0')}.log`
}

function tableName(number: number): string {
  return `${String(number).padStart(6, '0')}.ldb`
}
