// Backups of a relay: a folder with everything that the relay's own has, taken while it runs from one consistent view of
// the store, with a manifest by which it is checked before it is put back.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Store, silentLog, systemClock, systemRandom, type Write } from '@kith/node/kernel'
import { nodePrimitives, openLevelStore } from '@kith/node/kernel/host'
import { relayIdOf } from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { OperatorError } from '../errors.ts'
import { filesOf, type HomeFiles, readHome } from '../home.node.ts'
import { openMeta } from '../storage/meta.ts'
import { type Checked, checkStore } from './check.ts'
import { renewStore } from './renew.ts'

/** Of one transaction of the copy: large enough to sync rarely, small beside the memory of a small machine. */
const BATCH_BYTES = 4 * 1_048_576
const EVERYTHING = { from: new Uint8Array(0), to: new Uint8Array(64).fill(0xff) }
const MANIFEST = 'backup.json'
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

export interface Manifest {
  readonly version: 1
  readonly relay: string
  /** 32 hexadecimal digits */
  readonly storeEpoch: string
  readonly records: number
  /** SHA-256 over all records in order, each as lengths and bytes; hexadecimal. */
  readonly sha256: string
  readonly madeAt: string
}

/**
 * Copies a relay to a folder that is not there yet. `store` may be in use. The folder appears whole, checked against what
 * was read, or not at all. Throws OperatorError.
 */
export async function backUp(
  { files, store }: { readonly files: HomeFiles; readonly store: Pick<Store, 'scan'> },
  to: string
): Promise<Manifest> {
  await requireAbsent(to)
  const partial = `${to}.partial`
  try {
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { mode: FOLDER_MODE })
    const written = await copyRecords(store, join(partial, 'store'))
    const target = filesOf(partial, nodePrimitives.sha256)
    for (const name of ['config', 'key', 'invite'] as const) {
      await copyFile(files[name], target[name])
    }
    const manifest = await describe(target)
    if (manifest.records !== written.records || manifest.sha256 !== written.sha256) {
      throw new OperatorError('backup-differs', 'The copy is not what was read.', {
        hint: 'Check the disk that the backup is written to.'
      })
    }
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`
    await writeFile(join(partial, MANIFEST), text, { mode: FILE_MODE, flush: true })
    await rename(partial, to)
    return manifest
  } catch (error) {
    // What cannot be made cannot be removed either; whoever asked hears of the first failure.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined)
    throw error instanceof OperatorError ? error : cannotWrite(error)
  }
}

/**
 * Makes a relay's folder from a backup: checked against its manifest and for consistency first, and with a new store epoch,
 * so that devices notice. Throws OperatorError; then nothing is left behind.
 */
export async function restore(
  from: string,
  home: string
): Promise<{ readonly manifest: Manifest; readonly checked: Checked }> {
  await requireAbsent(home)
  const manifest = await readManifest(from)
  const partial = `${home}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { mode: FOLDER_MODE })
  try {
    const source = filesOf(from, nodePrimitives.sha256)
    const target = filesOf(partial, nodePrimitives.sha256)
    const opened = await openChecked(source.store)
    let copied: Pick<Manifest, 'records' | 'sha256'>
    try {
      copied = await copyRecords(opened, target.store)
    } finally {
      await opened.close()
    }
    if (copied.records !== manifest.records || copied.sha256 !== manifest.sha256) {
      throw damaged(from, 'its records are not those of its manifest')
    }
    for (const name of ['config', 'key', 'invite'] as const) {
      await copyFile(source[name], target[name])
    }
    const { seed } = await readHome(target, {})
    if (relayIdOf(nodePrimitives.keyPair(seed).publicKey) !== manifest.relay) {
      throw damaged(from, 'its key is of another relay')
    }
    const checked = await renewed(target, from)
    await rename(partial, home)
    return { manifest, checked }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

async function renewed(target: HomeFiles, from: string): Promise<Checked> {
  const store = await openChecked(target.store)
  try {
    const meta = await openMeta(store, systemRandom)
    const checked = await checkStore(store, meta, nodePrimitives)
    const [problem] = checked.problems
    if (problem !== undefined) throw damaged(from, problem)
    await renewStore(
      { store, primitives: nodePrimitives, random: systemRandom, clock: systemClock },
      meta
    )
    return checked
  } finally {
    await store.close()
  }
}

async function describe(target: HomeFiles): Promise<Manifest> {
  const { seed } = await readHome(target, {})
  const store = await openChecked(target.store)
  try {
    const { storeEpoch } = await openMeta(store, systemRandom)
    const sum = new Sum()
    for await (const [key, value] of store.scan(EVERYTHING)) sum.add(key, value)
    return {
      version: 1,
      relay: relayIdOf(nodePrimitives.keyPair(seed).publicKey),
      storeEpoch: toText(storeEpoch, 'base16'),
      ...sum.finish(),
      madeAt: new Date(systemClock.now()).toISOString()
    }
  } finally {
    await store.close()
  }
}

/** All records of one view of the store, into a fresh store in `folder`. */
async function copyRecords(
  from: Pick<Store, 'scan'>,
  folder: string
): Promise<Pick<Manifest, 'records' | 'sha256'>> {
  const to = await openChecked(folder)
  try {
    const sum = new Sum()
    let writes: Write[] = []
    let bytes = 0
    for await (const [key, value] of from.scan(EVERYTHING)) {
      sum.add(key, value)
      writes.push({ type: 'put', key: key.slice(), value: value.slice() })
      bytes += key.byteLength + value.byteLength
      if (bytes < BATCH_BYTES) continue
      await to.commit(writes)
      writes = []
      bytes = 0
    }
    await to.commit(writes)
    return sum.finish()
  } finally {
    await to.close()
  }
}

class Sum {
  readonly #hash = createHash('sha256')
  #records = 0

  add(key: Uint8Array, value: Uint8Array): void {
    this.#hash.update(`${key.byteLength} ${value.byteLength} `).update(key).update(value)
    this.#records += 1
  }

  finish(): Pick<Manifest, 'records' | 'sha256'> {
    return { records: this.#records, sha256: this.#hash.digest('hex') }
  }
}

const openChecked = (folder: string): Promise<Store> =>
  openLevelStore({ folder, log: silentLog, command: 'kith-relay' })

async function requireAbsent(folder: string): Promise<void> {
  const isThere = await stat(folder).then(
    () => true,
    () => false
  )
  if (!isThere) return
  throw new OperatorError('exists', `${folder} is there already.`, {
    hint: 'Nothing is overwritten: choose another folder.'
  })
}

async function readManifest(from: string): Promise<Manifest> {
  try {
    const manifest = JSON.parse(await readFile(join(from, MANIFEST), 'utf8')) as Manifest
    if (manifest.version !== 1) throw new Error('unknown version')
    return manifest
  } catch (cause) {
    throw new OperatorError('no-backup', `There is no whole backup in ${from}.`, {
      hint: `A backup has a ${MANIFEST}; make one with: kith-relay backup <folder>`,
      cause
    })
  }
}

function cannotWrite(cause: unknown): OperatorError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new OperatorError('backup-failed', `The backup cannot be written: ${why}.`, {
    hint: 'Check the folder and the room on its disk. The relay goes on as before.',
    cause
  })
}

function damaged(from: string, why: string): OperatorError {
  return new OperatorError('backup-damaged', `The backup in ${from} is damaged: ${why}.`, {
    hint: 'Use another one. Nothing was changed.'
  })
}
