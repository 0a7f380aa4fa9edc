// A relay holds nothing that it could read: a canary sent as text and used as name is in no file, record or log
// of the relay, while both people read it. The scan is shown to find planted canaries first.
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, type Store, silentLog } from '@kith/node/kernel'
import { openLevelStore } from '@kith/node/kernel/host'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../network/kith.ts'
import { formsIn } from './forms.ts'
import { filesIn } from './leftovers.ts'

const CANARY = 'zq7kx2vw9p'
const TEXT = `the word is ${CANARY}, repeated: ${`${CANARY} `.repeat(40)}`
const RUN_MS = 90_000
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
async function entriesHolding(store: Store, text: string) {
  const found: string[] = []
  let count = 0
  const range = { from: new Uint8Array(), to: new Uint8Array(64).fill(0xff) }
  for await (const [key, value] of store.scan(range)) {
    count++
    for (const form of [...formsIn(key, text), ...formsIn(value, text)]) {
      found.push(`${Buffer.from(key).toString('hex')}: ${form}`)
    }
  }
  return { count, found }
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
    expect((await entriesHolding(store, CANARY)).found).toEqual([
      `${Buffer.from(key).toString('hex')}: utf-8`
    ])
  })
})
