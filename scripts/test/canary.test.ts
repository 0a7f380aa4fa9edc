// A relay holds nothing that it could read: a canary sent as text and used as name is in no file, record or log
// of the relay, while both people read it. The scan is shown to find planted canaries first.
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Log, type Store, silentLog } from '@kith/node/kernel'
import { openLevelStore } from '@kith/node/kernel/host'
import { type AccountId, idBytes } from '@kith/protocols'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../network/kith.ts'
import { formsIn } from './forms.ts'
import { filesIn } from './leftovers.ts'

const CANARY = 'zq7kx2vw9p'
const ALICE = `alice-${CANARY}`
const BOB = `bob-${CANARY}`
const TEXT = `the word is ${CANARY}, repeated: ${`${CANARY} `.repeat(40)}`
const RUN_MS = 90_000
const PEER = join(import.meta.dirname, '..', 'storm', 'peer.ts')
const WAIT = { timeoutMs: 30_000 }

/** Where in the folder, and in which form, the text lies in the bytes of a file. */
function filesHolding(folder: string, text: string): string[] {
  return filesIn(folder)
    .filter((file) => statSync(join(folder, file)).isFile())
    .flatMap((file) =>
      [...formsIn(readFileSync(join(folder, file)), text), ...formsIn(Buffer.from(file), text)].map(
        (form) => `${file}: ${form}`
      )
    )
}

/** Every key and value, decompressed: LevelDB's blocks on disk may be. */
async function entriesHolding(store: Store, text: string): Promise<string[]> {
  const found: string[] = []
  for await (const entry of everything(store)) found.push(...formsIn(entry, text))
  return found
}

async function* everything(store: Store): AsyncGenerator<Buffer> {
  const range = { from: new Uint8Array(), to: new Uint8Array(64).fill(0xff) }
  for await (const [key, value] of store.scan(range)) yield Buffer.concat([key, value])
}

async function inStore<T>(folder: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openLevelStore({ folder, log: silentLog satisfies Log })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

let planted: string
beforeAll(async () => {
  planted = await mkdtemp(join(tmpdir(), 'kith-planted-'))
})
afterAll(() => rm(planted, { recursive: true }))

test('the scan finds a canary planted in a file, a file name and a record', async () => {
  await writeFile(join(planted, 'a.log'), `{"text":"${CANARY}"}`)
  await writeFile(join(planted, `${CANARY}.txt`), 'nothing')
  expect(filesHolding(planted, CANARY).sort()).toEqual(['a.log: utf-8', `${CANARY}.txt: utf-8`])
  await inStore(join(planted, 'store'), async (store) => {
    const key = new TextEncoder().encode('planted')
    await store.commit([{ type: 'put', key, value: new TextEncoder().encode(TEXT) }])
    expect(await entriesHolding(store, CANARY)).toEqual(['utf-8'])
  })
})

/** Folders of stores below `folder`: what openLevelStore is given. */
const storesIn = (folder: string) =>
  filesIn(folder)
    .filter((file) => file.endsWith('/CURRENT'))
    .map((file) => join(folder, dirname(dirname(file))))

test('a relay holds neither text nor names; both people read them', {
  timeout: RUN_MS
}, async () => {
  const stage = new Stage(AbortSignal.timeout(RUN_MS))
  try {
    const relay = await stage.introduce(ALICE, BOB)
    const peers = [ALICE, BOB].map((name) =>
      stage.processes.start({ name, args: [PEER, stage.home(name)] })
    )
    const [alice, bob] = peers
    if (alice === undefined || bob === undefined) throw new Error('both were started')
    for (const peer of peers) await peer.line((line) => line.includes('"ready"'), WAIT)
    alice.write(TEXT)
    await bob.line((line) => line.includes('"received"') && line.includes(CANARY), WAIT)
    bob.write(`${CANARY} received`)
    await alice.line((line) => line.includes('"received"') && line.includes(CANARY), WAIT)
    for (const peer of peers) await peer.stop()
    await relay.stop()

    expect(await stage.kith(BOB, 'message', 'list', ALICE)).toContain(TEXT.slice(0, 40))
    expect(await stage.kith(ALICE, 'contact', 'list')).toContain(BOB)

    const home = stage.home('relay')
    expect(relay.tail.length).toBeGreaterThan(0)
    expect(formsIn(Buffer.from(relay.tail.join('\n')), CANARY)).toEqual([])
    expect(filesHolding(home, CANARY)).toEqual([])
    const [account] = (await stage.kithJson(BOB, 'account', 'show')) as { account: AccountId }[]
    const bytes = idBytes(account?.account as AccountId)
    const stores = storesIn(home)
    expect(stores.length).toBeGreaterThan(0)
    let holdsAccount = false
    for (const folder of stores) {
      await inStore(folder, async (store) => {
        expect(await entriesHolding(store, CANARY)).toEqual([])
        for await (const entry of everything(store))
          holdsAccount ||= entry.includes(Buffer.from(bytes))
      })
    }
    // The scan read the records of these people, not some other store.
    expect(holdsAccount).toBe(true)

    // Logs of both nodes are as silent, and their stores are sealed.
    for (const peer of peers)
      expect(formsIn(Buffer.from(peer.errors.join('\n')), CANARY)).toEqual([])
    for (const folder of [ALICE, BOB].flatMap((name) => storesIn(stage.home(name)))) {
      await inStore(folder, async (store) => {
        expect(await entriesHolding(store, CANARY)).toEqual([])
      })
    }
  } finally {
    await stage.close()
  }
})
