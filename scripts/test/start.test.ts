// `npm start` as a newcomer types it: it ends well, shows both sides, and leaves nothing behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filesIn, processesNaming } from './leftovers.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const LOCAL = join(ROOT, 'scripts', 'network', 'local.ts')

/** On two busy cores a run takes about ten seconds; far beyond that something hangs. */
const RUN_MS = 90_000

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kith-start-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

interface Run {
  readonly child: ChildProcess
  /** Both outputs so far. */
  text(): string
  readonly code: Promise<number | null>
}

function run(
  command: string,
  args: readonly string[],
  input: string | undefined,
  temporary = scratch
): Run {
  const child = spawn(command, args, {
    cwd: ROOT,
    // npm keeps a cache of compiled code in the folder for temporary files, whatever it runs.
    env: { ...process.env, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: RUN_MS
  })
  child.stdin?.end(input)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, text: () => text, code }
}

function expectNothingLeft() {
  expect(processesNaming(scratch)).toEqual([])
  expect(filesIn(scratch)).toEqual([])
}

test('npm start without input sends the conversation and leaves nothing behind', {
  timeout: RUN_MS
}, async () => {
  const started = run('npm', ['start'], undefined)
  expect(await started.code, started.text()).toBe(0)
  const lines = readFileSync(join(ROOT, 'scripts', 'network', 'conversation.txt'), 'utf8')
    .trim()
    .split('\n')
  expect(lines.length).toBeGreaterThan(9)
  const output = started.text()
  expect(output).toContain(`${lines.length} messages sent, all delivered and answered`)
  const [, alice = '', bob = ''] = output.split(/^\w+'s side .*$/m)
  for (const side of [alice, bob]) {
    for (const word of ['Is this thing on?', '🎉', 'שלום', '日本語']) expect(side).toContain(word)
    expect(side.match(/bob got "/g)).toHaveLength(lines.length)
  }
  expectNothingLeft()
})

test('piped lines are sent as they are', { timeout: RUN_MS }, async () => {
  const started = run(process.execPath, [LOCAL], 'one line\n\nanother: <b>&amp;</b>\n')
  expect(await started.code, started.text()).toBe(0)
  expect(started.text()).toContain('2 messages sent, all delivered and answered')
  expect(started.text()).toContain('bob got "another: <b>&amp;</b>"')
  expectNothingLeft()
})

test('a failure says what failed, shows what was said last, and leaves nothing behind', async () => {
  // A local socket cannot be made at a path this long, so the first command that needs one fails.
  const deep = join(scratch, 'x'.repeat(120))
  mkdirSync(deep)
  const started = run(process.execPath, [LOCAL], undefined, deep)
  expect(await started.code, started.text()).toBe(1)
  expect(started.text()).toMatch(/^failed: (relay|kith) /m)
  expect(started.text()).toContain('last lines of relay:')
  expect(processesNaming(scratch)).toEqual([])
  expect(filesIn(deep)).toEqual([])
})

test.each([
  ['while they talk', 'bob is up'],
  ['before anything is up', '']
])(
  'an interruption %s stops everything and leaves nothing behind',
  { timeout: RUN_MS },
  async (_, sign) => {
    const started = run(process.execPath, [LOCAL], undefined)
    await expect.poll(() => started.text(), { timeout: RUN_MS }).toContain(sign)
    await expect.poll(() => filesIn(scratch).length, { timeout: RUN_MS }).toBeGreaterThan(0)
    started.child.kill('SIGINT')
    expect(await started.code, started.text()).toBe(130)
    expectNothingLeft()
  }
)
