// A process that writes and says what was acknowledged, for tests that kill it or take its disk away:
//   node writer.ts <folder> <round> <bytes of a value>
// One line a fact: `ready`, `ack <number>`, `error <code>`, `read <code or ok>`, `done`.
import { writeSync } from 'node:fs'
import { u32 } from '../../../src/kernel/store/key.ts'
import { openLevelStore } from '../../../src/kernel/store/level.node.ts'

const IN_FLIGHT = 16
/** Records a round; a test that kills the writer does so long before. */
const RECORDS = 20_000
/** Commits tried after the first error: none of them may be acknowledged. */
const TRIES_AFTER_ERROR = 50

const silentLog = { debug() {}, info() {}, warn() {}, error() {} }
const [folder = '', round = '0', valueBytes = '512'] = process.argv.slice(2)
const store = await openLevelStore({ folder, log: silentLog, command: 'writer' })
say('ready')
let next = Number(round) * RECORDS
const end = next + RECORDS
let hasFailed = false
await Promise.all(Array.from({ length: IN_FLIGHT }, writeUntilError))
if (hasFailed) {
  for (let attempt = 0; attempt < TRIES_AFTER_ERROR; attempt += 1) await write(next++)
  say(`read ${await codeOf(store.get(u32(0)))}`)
}
say('done')
await store.close()

async function writeUntilError(): Promise<void> {
  while (next < end && !hasFailed) await write(next++)
}

async function write(number: number): Promise<void> {
  const value = new Uint8Array(Number(valueBytes)).fill(number % 251)
  const code = await codeOf(store.commit([{ type: 'put', key: u32(number), value }]))
  hasFailed ||= code !== 'ok'
  say(code === 'ok' ? `ack ${number}` : `error ${code}`)
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
