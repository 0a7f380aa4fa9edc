// What LevelDB's logs hold: edits of the manifest (db/version_edit.cc) and batches of writes
// (db/write_batch.cc).
import { Cursor, FormatError } from './cursor.ts'

export interface Manifest {
  /** Write-ahead logs from this number on are needed. */
  readonly logNumber: number
  /** Tables in use: number → size in bytes. */
  readonly tables: ReadonlyMap<number, number>
}

export interface Batch {
  /** Number of the first operation; operations are numbered through. */
  readonly sequence: number
  readonly count: number
}

const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG_NUMBER = 9

const DELETION = 0
const VALUE = 1

/** Applies all edits. Throws FormatError. */
export function readManifest(edits: readonly Uint8Array[]): Manifest {
  let logNumber = 0
  const tables = new Map<number, number>()
  for (const edit of edits) {
    const added: [number, number][] = []
    const cursor = new Cursor(edit)
    while (!cursor.isAtEnd) {
      const tag = cursor.varint()
      if (tag === COMPARATOR) cursor.slice()
      else if (tag === LOG_NUMBER) logNumber = cursor.varint()
      else if (tag === NEXT_FILE || tag === LAST_SEQUENCE || tag === PREVIOUS_LOG_NUMBER) {
        cursor.varint()
      } else if (tag === COMPACT_POINTER) {
        cursor.varint()
        cursor.slice()
      } else if (tag === DELETED_FILE) {
        cursor.varint()
        tables.delete(cursor.varint())
      } else if (tag === NEW_FILE) added.push(readNewFile(cursor))
      else throw new FormatError('an unknown tag')
    }
    // A table that moves down a level is deleted and added in one edit.
    for (const [number, size] of added) tables.set(number, size)
  }
  return { logNumber, tables }
}

function readNewFile(cursor: Cursor): [number: number, size: number] {
  cursor.varint()
  const file: [number, number] = [cursor.varint(), cursor.varint()]
  cursor.slice()
  cursor.slice()
  return file
}

/** The numbers of a batch. Throws FormatError. */
export function readBatch(record: Uint8Array): Batch {
  const cursor = new Cursor(record)
  return { sequence: cursor.u64(), count: cursor.u32() }
}

/** The value that a batch puts under `key`, the last one; undefined when it puts none. Throws FormatError. */
export function readPut(record: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const cursor = new Cursor(record)
  cursor.u64()
  let found: Uint8Array | undefined
  for (let count = cursor.u32(); count > 0; count -= 1) {
    const type = cursor.byte()
    const name = cursor.slice()
    if (type === VALUE) {
      const value = cursor.slice()
      if (isSame(name, key)) found = value
    } else if (type !== DELETION) throw new FormatError('an unknown operation')
  }
  if (!cursor.isAtEnd) throw new FormatError('bytes after the last operation')
  return found
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}
