// Backups: made while the relay runs, checked, put back as another life of the same relay; damaged ones are refused.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { silentLog, systemRandom, type Write } from '@kith/node/kernel'
import { nodePrimitives, openLevelStore } from '@kith/node/kernel/host'
import { parseJoinLink } from '@kith/protocols'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkStore } from '../src/backup/check.ts'
import { key, rangeOf, TABLE } from '../src/storage/keys.ts'
import { openMeta } from '../src/storage/meta.ts'
import { createHomeFolder, type HomeFolder } from './home-folder.ts'
import { Device, hex, randomEnvelope, tcpWire } from './people.ts'
import { run } from './process.ts'

let relay: HomeFolder
let restored: HomeFolder
let device: Device | undefined

beforeEach(async () => {
  relay = await createHomeFolder()
  restored = await createHomeFolder()
  device = undefined
})

afterEach(async () => {
  await device?.stop()
  await relay.remove()
  await restored.remove()
})

const backupFolder = () => join(relay.home, '..', 'backup')
const backUp = () => run(['backup', backupFolder(), '--home', relay.home, '--json'])
const restore = () => run(['restore', backupFolder(), '--home', restored.home, '--json'])
const fsck = (home: string) => run(['fsck', '--home', home, '--json'])

/** A relay that keeps this many entries of one account. */
async function running(count: number): Promise<Uint8Array[]> {
  await relay.init()
  device = await Device.join(tcpWire(), (await relay.start()).joinLink)
  const envelopes = Array.from({ length: count }, () => randomEnvelope())
  for (const envelope of envelopes) await device.append(envelope)
  return envelopes
}

async function exists(folder: string): Promise<boolean> {
  return await stat(folder).then(
    () => true,
    () => false
  )
}

describe('a backup', () => {
  it('made while messages come has all that were acknowledged before, and is served after a restore', async () => {
    const envelopes = await running(20)
    const own = device as Device
    let isOver = false
    const traffic = (async () => {
      while (!isOver) await own.append(randomEnvelope())
    })()
    const made = await backUp()
    isOver = true
    await traffic
    expect(made).toMatchObject({ code: 0, error: '' })
    const epochBefore = JSON.parse(made.out).storeEpoch
    await relay.stop()
    expect(await restore()).toMatchObject({ code: 0 })
    expect(JSON.parse((await fsck(restored.home)).out)).toMatchObject({ accounts: 1, problems: [] })
    own.relay = parseJoinLink((await restored.start()).joinLink)
    const entries = await (await own.subscribe()).until(20)
    expect(entries.slice(0, 20).map(({ envelopeId }) => hex(envelopeId))).toEqual(
      envelopes.map((envelope) => hex(nodePrimitives.sha256(envelope)))
    )
    const { out } = await run(['status', '--home', restored.home, '--json'])
    expect(JSON.parse(out).storeEpoch).not.toBe(epochBefore)
    await own.append(randomEnvelope())
  })

  it('of a relay that does not run is the same, and overwrites nothing', async () => {
    await running(3)
    await relay.stop()
    expect(JSON.parse((await backUp()).out)).toMatchObject({ version: 1, folder: backupFolder() })
    expect(await backUp()).toMatchObject({ code: 1, error: expect.stringContaining('is there') })
    expect(await restore()).toMatchObject({ code: 0 })
    expect(await restore()).toMatchObject({ code: 1, error: expect.stringContaining('is there') })
    expect((await stat(join(backupFolder(), 'relay.key'))).mode & 0o777).toBe(0o600)
  })

  it.each(['store', 'backup.json', 'relay.key'])(
    'whose %s is damaged is refused, and nothing is left behind',
    async (part) => {
      await running(30)
      await relay.stop()
      await backUp()
      const file =
        part === 'store'
          ? await largestFile(join(backupFolder(), 'store'))
          : join(backupFolder(), part)
      const bytes = await readFile(file)
      bytes[Math.floor(bytes.byteLength / 2)] = (bytes[Math.floor(bytes.byteLength / 2)] ?? 0) ^ 1
      await writeFile(file, bytes)
      const { code, error } = await restore()
      expect(code).toBe(1)
      expect(error).toMatch(/damaged|no whole backup|does not hold a relay key/)
      expect(await exists(restored.home)).toBe(false)
      expect(await exists(`${restored.home}.partial`)).toBe(false)
    }
  )

  it('that is none, or into a folder that cannot be written, is refused in words', async () => {
    await relay.init()
    expect(await restore()).toMatchObject({
      code: 1,
      error: expect.stringContaining('no whole backup')
    })
    const nowhere = await run([
      'backup',
      join(relay.home, 'relay.key', 'backup'),
      '--home',
      relay.home
    ])
    expect(nowhere.code).toBe(1)
    expect(nowhere.error).toContain('The backup cannot be written')
    expect(nowhere.error).not.toContain('    at ')
  })
})

async function largestFile(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size))
  return join(folder, files[sizes.indexOf(Math.max(...sizes))] ?? '')
}

describe('fsck', () => {
  async function problemsAfter(
    change: (writes: readonly (readonly [Uint8Array, Uint8Array])[]) => Write[],
    table: number
  ) {
    const store = await openLevelStore({
      folder: join(relay.home, 'store'),
      log: silentLog,
      command: 'test'
    })
    try {
      const records: (readonly [Uint8Array, Uint8Array])[] = []
      for await (const [at, value] of store.scan(rangeOf(table)))
        records.push([at.slice(), value.slice()])
      await store.commit(change(records))
      return (await checkStore(store, await openMeta(store, systemRandom), nodePrimitives)).problems
    } finally {
      await store.close()
    }
  }

  it('finds nothing in a relay that was killed', async () => {
    await running(20)
    await relay.kill()
    expect(await fsck(relay.home)).toMatchObject({ code: 0 })
  })

  it.each<
    [string, number, (records: readonly (readonly [Uint8Array, Uint8Array])[]) => Write[], string]
  >([
    [
      'an entry that is gone',
      TABLE.entry,
      (all) => all.slice(2, 3).map(([at]) => ({ type: 'delete', key: at })),
      'is missing'
    ],
    [
      'a body that is gone',
      TABLE.envelope,
      (all) => all.slice(0, 1).map(([at]) => ({ type: 'delete', key: at })),
      'has no body'
    ],
    [
      'a body that is another',
      TABLE.envelope,
      (all) =>
        all.slice(0, 1).map(([at, value]) => ({
          type: 'put',
          key: at,
          value: value.with(-1, (value.at(-1) ?? 0) ^ 1)
        })),
      'has another body'
    ],
    [
      'two entries that changed places',
      TABLE.entry,
      (all) => [
        { type: 'put', key: all[0]?.[0] ?? key(0), value: all[1]?.[1] ?? key(0) },
        { type: 'put', key: all[1]?.[0] ?? key(0), value: all[0]?.[1] ?? key(0) }
      ],
      'its chain is not'
    ],
    [
      'a log of an account without its end',
      TABLE.operation,
      (all) => all.slice(-1).map(([at]) => ({ type: 'delete', key: at })),
      'its log does not hold'
    ]
  ])('names %s, and ends with 1', async (_, table, change, problem) => {
    await running(5)
    await relay.stop()
    expect((await problemsAfter(change, table)).join('\n')).toContain(problem)
    const { code, out } = await fsck(relay.home)
    expect(code).toBe(1)
    expect(JSON.parse(out).problems.length).toBeGreaterThan(0)
  })

  it('leaves a running relay alone', async () => {
    await running(1)
    expect(await fsck(relay.home)).toMatchObject({
      code: 1,
      error: expect.stringContaining('running')
    })
  })
})
