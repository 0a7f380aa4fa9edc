import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { beforeEach, expect, it } from 'vitest'
import type { FullScreen } from '../../src/command.ts'
import { MemoryWorld } from '../memory-engine.ts'
import { run, temporaryHome } from '../run.ts'

let home: string
let world: MemoryWorld

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
})

/** A terminal as Node sees one; what is written to it stays. */
function terminal(env: Record<string, string> = { TERM: 'xterm' }) {
  const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: raw })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  let written = ''
  output.setEncoding('utf8').on('data', (text) => {
    written += text
  })
  function raw(this: { isRaw: boolean }, isRaw: boolean) {
    this.isRaw = isRaw
    return this
  }
  const screen: FullScreen = {
    input: input as unknown as ReadStream,
    output: output as unknown as WriteStream,
    env,
    holdDiagnostics: () => () => undefined
  }
  return { input, screen, written: () => written }
}

function expectRestored({ input, written }: ReturnType<typeof terminal>): void {
  expect(input.isRaw).toBe(false)
  for (const [on, off] of [
    ['[?1049h', '[?1049l'],
    ['[?7l', '[?7h'],
    ['[?2004h', '[?2004l'],
    ['[>1u', '[<u']
  ] as const) {
    expect(written()).toContain(on)
    expect(written().lastIndexOf(off), off).toBeGreaterThan(written().lastIndexOf(on))
  }
  expect(written().lastIndexOf('[?25h')).toBeGreaterThan(written().lastIndexOf('[?25l'))
}

it('opens without words on a terminal, and the terminal is as it was after q', async () => {
  world.person(home, 'alice')
  const one = terminal()
  const going = run([], { home, engine: world, isTerminal: true, fullScreen: one.screen })
  await expect.poll(one.written).toContain('No conversations yet')
  expect(one.input.isRaw).toBe(true)
  one.input.write('q')
  expect(await going).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expectRestored(one)
})

it('leaves the terminal as it was when drawing fails, and says that something did', async () => {
  const alice = world.person(home, 'alice')
  alice.view = () => ({ ...Object.getPrototypeOf(alice).view.call(alice), name: undefined })
  const one = terminal()
  const { code, stderr } = await run(['tui'], {
    home,
    engine: world,
    isTerminal: true,
    fullScreen: one.screen
  })
  expect(code).toBe(70)
  expect(stderr).toContain('Something inside went wrong')
  expectRestored(one)
})

it('gives the terminal back before it says what broke', async () => {
  world.person(home, 'alice')
  const before = process.listeners('uncaughtException')
  const one = terminal()
  const going = run([], { home, engine: world, isTerminal: true, fullScreen: one.screen })
  await expect.poll(one.written).toContain('No conversations yet')
  const crash = process.listeners('uncaughtException').find((one) => !before.includes(one))
  crash?.(new TypeError('broken'), 'uncaughtException')
  const { code, stderr } = await going
  expect(code).toBe(70)
  expect(stderr).toContain('broken')
  expectRestored(one)
  expect(process.listeners('uncaughtException')).toEqual(before)
})

it('ends when the terminal is gone', async () => {
  world.person(home, 'alice')
  const one = terminal()
  const going = run(['tui'], { home, engine: world, isTerminal: true, fullScreen: one.screen })
  await expect.poll(one.written).toContain('No conversations yet')
  one.input.end()
  expect((await going).code).toBe(0)
})

it.each([
  [{ TERM: 'dumb' }, 'TERM=dumb'],
  [{}, 'TERM is not set']
])('does not begin where the cursor cannot be moved: %o', async (env, why) => {
  const one = terminal(env as Record<string, string>)
  const options = { home, engine: world, isTerminal: true, fullScreen: one.screen }
  const { code, stderr } = await run([], options)
  expect(code).toBe(2)
  expect(stderr).toContain(why)
  expect(one.written()).toBe('')
})

it('is not opened without a terminal: kith alone prints the help, kith tui says why not', async () => {
  expect((await run([], { home, engine: world })).stdout).toContain('Usage: kith')
  const { code, stderr } = await run(['tui'], { home, engine: world })
  expect(code).toBe(2)
  expect(stderr).toContain('not a terminal')
})
