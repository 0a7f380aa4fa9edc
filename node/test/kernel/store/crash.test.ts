// Processes that die, and processes that come second.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLevelStore } from '../../../src/kernel/host/index.ts'
import { silentLog } from '../../../src/kernel/index.ts'
import { createNumbers, temporaryFolder } from './image.ts'
import { acknowledged, findLost, startWriter, VALUE_BYTES } from './process.ts'

const SEED = Number(process.env.KITH_STORE_SEED ?? 20_261)
const ROUNDS = Number(process.env.KITH_STORE_KILLS ?? 20)
const MINUTE_MS = 60_000

test(`kill -9 of a writer loses nothing acknowledged (seed ${SEED})`, {
  timeout: ROUNDS * MINUTE_MS
}, async () => {
  await killRounds({ rounds: ROUNDS, linesMax: 1_500 })
})

test(`nor does kill -9 while LevelDB moves its log into tables, and none is refused (seed ${SEED})`, {
  timeout: ROUNDS * MINUTE_MS
}, async () => {
  // LevelDB starts a new log every 4 MiB: twice in most of these rounds.
  await killRounds({ rounds: Math.ceil(ROUNDS / 3), linesMax: 1_300, valueBytes: 8_192 })
})

test('a second process is refused and told who holds the store', async () => {
  const folder = await temporaryFolder()
  const writer = startWriter(folder, 0)
  let refusal: unknown
  for await (const line of writer.lines) {
    if (line !== 'ready') continue
    refusal = await openLevelStore({ folder, log: silentLog }).catch((error: unknown) => error)
    // The holder goes on: only then is it stopped.
    await expect(openLevelStore({ folder, log: silentLog })).rejects.toThrow('in use')
    break
  }
  const { pid } = writer.process
  expect(refusal).toMatchObject({ code: 'in-use', holder: `process ${pid} (writer)` })
  writer.process.kill('SIGKILL')
  await writer.ended
  // The dead holder's file is still there and means nothing.
  expect(await readdir(folder)).toContain('holder.json')
  const store = await openLevelStore({ folder, log: silentLog, command: 'second' })
  expect(JSON.parse(await readFile(join(folder, 'holder.json'), 'utf8'))).toEqual({
    pid: process.pid,
    command: 'second'
  })
  await expect(openLevelStore({ folder, log: silentLog })).rejects.toMatchObject({
    code: 'in-use',
    holder: `process ${process.pid} (second)`
  })
  await store.close()
  expect(await readdir(folder)).not.toContain('holder.json')
  await rm(folder, { recursive: true })
})

test('a creation that died half way is finished by the next open', async () => {
  const whole = await temporaryFolder()
  await (await openLevelStore({ folder: whole, log: silentLog })).close()
  const identity = (await readFile(join(whole, 'store.json'), 'utf8')).split('\n')[0] ?? ''
  await rm(whole, { recursive: true })
  const { crc32 } = await import('node:zlib')
  const creating = identity.replace('"created"', '"creating"')
  const folder = await temporaryFolder()
  await writeFile(
    join(folder, 'store.json'),
    `${creating}\n${crc32(creating).toString(16).padStart(8, '0')}\n`
  )
  const store = await openLevelStore({ folder, log: silentLog })
  await store.commit([{ type: 'put', key: new Uint8Array([1]), value: new Uint8Array([2]) }])
  await store.close()
  const again = await openLevelStore({ folder, log: silentLog })
  expect(await again.get(new Uint8Array([1]))).toEqual(new Uint8Array([2]))
  await again.close()
  await rm(folder, { recursive: true })
})

test('a store of a newer schema is refused', async () => {
  const folder = await temporaryFolder()
  await (await openLevelStore({ folder, log: silentLog })).close()
  const { crc32 } = await import('node:zlib')
  const path = join(folder, 'store.json')
  const json = (await readFile(path, 'utf8')).split('\n')[0] ?? ''
  const newer = json.replace('"schema":1', '"schema":2')
  await writeFile(path, `${newer}\n${crc32(newer).toString(16).padStart(8, '0')}\n`)
  await expect(openLevelStore({ folder, log: silentLog })).rejects.toMatchObject({
    code: 'version'
  })
  await rm(folder, { recursive: true })
})

async function killRounds(plan: { rounds: number; linesMax: number; valueBytes?: number }) {
  const { rounds, linesMax, valueBytes = VALUE_BYTES } = plan
  const numbers = createNumbers(SEED)
  const folder = await temporaryFolder()
  const all: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const killAfter = 1 + numbers(linesMax)
    const lines: string[] = []
    const writer = startWriter(folder, round, { valueBytes })
    for await (const line of writer.lines) {
      lines.push(line)
      if (lines.length === killAfter) writer.process.kill('SIGKILL')
    }
    await writer.ended
    const kept = acknowledged(lines)
    if (killAfter > 1) expect(kept.length).toBeGreaterThan(0)
    all.push(...kept)
    const lost = await findLost(folder, all, valueBytes)
    expect(lost, `round ${round}, killed after ${killAfter}`).toEqual([])
  }
  await rm(folder, { recursive: true })
}
