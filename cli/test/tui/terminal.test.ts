import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Screen, type ScreenOptions } from '../../src/testing/index.ts'
import { ProcessStage, until } from '../process/stage.ts'

const KITH = join(import.meta.dirname, '..', '..', 'bin', 'kith.js')
const ENTER = '\r'
const CTRL_C = '\u0003'
const CTRL_E = '\u0005'

const stage = new ProcessStage()
const screens: Screen[] = []
let join_: string

/** Contact links by person. */
const links = new Map<string, string>()

async function linkOf(as: string): Promise<string> {
  const { stdout } = await stage.kith(['account', 'show', '--json'], { as })
  return (JSON.parse(stdout) as { link: string }).link
}

/** `kith` alone on a terminal of its own. */
function open(as: string, options: Partial<ScreenOptions> & { argv?: readonly string[] } = {}) {
  const { argv = [process.execPath, KITH], env = {}, columns = 90, rows = 24 } = options
  const home = { KITH_HOME: stage.home(as) }
  const screen = Screen.start(argv, {
    columns,
    rows,
    folder: stage.folder,
    env: { ...home, ...env }
  })
  screens.push(screen)
  return screen
}

beforeAll(async () => {
  await stage.open()
  join_ = (await stage.startRelay('relay')).link
  const create = ['account', 'create', '--relay', join_, '--name', 'bob', '--json']
  const { stdout } = await stage.kith(create, { as: 'bob' })
  links.set('bob', (JSON.parse(stdout) as { account: { link: string } }).account.link)
})

afterEach(async () => {
  for (const screen of screens.splice(0)) await screen.stop()
})

afterAll(() => stage.close())

/** Row of the screen on which a text stands. */
const rowOf = (screen: Screen, text: string) => screen.rows.findIndex((row) => row.includes(text))

function expectRestored(screen: Screen): void {
  expect(screen.terminal.buffer.active.type).toBe('normal')
  for (const [on, off] of [
    ['[?1049h', '[?1049l'],
    ['[?25l', '[?25h'],
    ['[?7l', '[?7h'],
    ['[?2004h', '[?2004l'],
    ['[>1u', '[<u']
  ] as const) {
    expect(screen.sent.lastIndexOf(off), off).toBeGreaterThan(screen.sent.lastIndexOf(on))
  }
}

/** Of control characters only line breaks, and sequences that move, erase, colour, or switch a mode. */
function expectNoOtherControls(screen: Screen): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is made of them
  const rest = screen.sent.replace(/\u001B\[[?>=<]?[\d;]*[A-HJKhlmu]/g, '')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
  expect(rest).not.toMatch(/[\u0000-\u0009\u000B\u000C\u000E-\u001F\u007F-\u009F\u202E]/)
}

describe('kith alone on a terminal', () => {
  it('makes an account, shows the recovery words once, and goes on when one was typed', async () => {
    const screen = open('alice', { columns: 40, rows: 12 })
    await screen.shows('Join link')
    screen.type(`kith:join/nonsense${ENTER}`)
    await screen.shows('Your name')
    screen.type(`alice${ENTER}`)
    await screen.shows((one) => one.text.includes('Join link') && one.text.includes('Try:'))
    screen.type(`\u0015${join_}${ENTER}`)
    await screen.shows('Your name')
    screen.type(`alice${ENTER}`)
    await screen.shows('Type word')
    const words = [...screen.text.matchAll(/\b(\d+) ([a-z]+)\b/g)].map(([, , word]) => word)
    expect(words).toHaveLength(24)
    screen.type(`wrong${ENTER}`)
    await screen.shows('That is not the word')
    const asked = Number(/Type word (\d+)/.exec(screen.text)?.[1])
    screen.type(`${words[asked - 1]}${ENTER}`)
    await screen.shows('No conversations yet')
    expect(screen.text).not.toContain(words[0])
    screen.type('q')
    expect(await screen.ended()).toBe(0)
    expectRestored(screen)
  })

  it('adds a contact, sends, shows states in place and what comes back, at any size', async () => {
    const screen = open('alice')
    await screen.shows('relay ✓')
    screen.type('n')
    await screen.shows('Contact link')
    screen.type(`${links.get('bob')}${ENTER}`)
    await screen.shows('Your name for this person')
    screen.type(`bob${ENTER}`)
    await screen.shows('bob is a contact now')
    screen.type(ENTER)
    await screen.shows('No messages yet')
    screen.type(`first${ENTER}`)
    await screen.shows(/✓ {2}alice: first/)
    const row = rowOf(screen, 'first')
    // Three lines of a paste are one message.
    screen.type('\u001B[200~one\rtwo\rthree\u001B[201~')
    await screen.shows('three')
    screen.type(ENTER)
    await screen.shows(/✓ {2}alice: one/)

    await stage.kith(['contact', 'add', await linkOf('alice'), '--name', 'alice'], { as: 'bob' })
    const hostile = '\u001B]0;owned\u0007\u001B[2J\u009B5Aעברית\u202Egpj 👩‍👩‍👧‍👦👩‍👩‍👧‍👦'
    await stage.kith(['message', 'send', 'alice', '--wait', 'delivered', '--', hostile], {
      as: 'bob'
    })
    await screen.shows(/✓✓ alice: one/)
    await screen.shows('␛]0;owned␇')
    expect(rowOf(screen, 'first')).toBeLessThan(row)
    expect(screen.text).toMatch(/alice: one\n.*│\u200E two\n.*│\u200E three/)

    await screen.resize(40, 12)
    await screen.shows(({ rows }) => rows[1]?.startsWith(' bob') === true)
    await screen.shows(({ rows }) => rows[11]?.startsWith('Enter send') === true)
    await screen.resize(90, 24)
    await screen.shows(({ rows }) => rows[23]?.includes('F1 keys') === true)
    expectNoOtherControls(screen)
    expect(rowOf(screen, '>bob')).toBe(1)
    screen.type(CTRL_C)
    expect(await screen.ended()).toBe(0)
    expectRestored(screen)
  })

  it('counts what came meanwhile, lends the terminal to an editor, asks before a text is lost', async () => {
    await stage.kith(['message', 'send', 'alice', 'news', '--wait', 'accepted'], { as: 'bob' })
    const editor = join(stage.folder, 'editor.sh')
    await writeFile(editor, '#!/bin/sh\nprintf "%s and\\nmore" "$(cat "$1")" > "$1"\n')
    await chmod(editor, 0o700)
    const screen = open('alice', { env: { EDITOR: editor } })
    await screen.shows('1 unread')
    screen.type('t')
    await screen.shows('Theme: light')
    screen.type(ENTER)
    await screen.shows((one) => !one.text.includes('unread'))
    screen.type('typed')
    await screen.shows('> typed')
    screen.type(CTRL_E)
    await screen.shows('> typed and')
    await screen.shows('  more')
    screen.type(CTRL_C)
    await screen.shows('A text is not sent')
    screen.type('n')
    await screen.shows('Enter send')
    screen.type(CTRL_C + CTRL_C)
    expect(await screen.ended()).toBe(0)
    expectRestored(screen)
    const record = await readFile(join(stage.home('alice'), 'terminal.json'), 'utf8')
    expect(JSON.parse(record)).toMatchObject({ theme: 'light' })
    expect(record).not.toMatch(/bob|[a-z2-7]{40}/)
  })

  it('goes on when the holder of the store is killed, and ends in order at a signal', async () => {
    const holder = stage.start(['message', 'watch', '--json'], { as: 'alice', input: null })
    await until(() => holder.stdout().includes('ready'))
    const pidFile = join(stage.folder, 'pid')
    const kith = `echo $$ > ${pidFile}; exec "${process.execPath}" "${KITH}"`
    const argv = ['sh', '-c', `sh -c '${kith}'; stty -a`]
    const screen = open('alice', { argv, env: { NO_COLOR: '1', TERM: 'linux' } })
    await screen.shows('bob')
    screen.type(ENTER)
    await screen.shows('Enter send')
    holder.child.kill('SIGKILL')
    // What is asked of it at the very moment of its death has an outcome that nobody knows, and the screen says so.
    await holder.ended
    screen.type(`still here${ENTER}`)
    await screen.shows(/✓ {2}alice: still here/)
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGTERM')
    await screen.ended()
    expectRestored(screen)
    expect(screen.text).toMatch(/[^-]icanon/)
    expect(screen.text).toMatch(/ echo /)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    expect(screen.sent).not.toMatch(/\u001B\[(?:3[0-8]|4[0-8]|9\d|10\d)m/)
    expect(screen.sent).not.toContain('Warning')
  })

  it('says in words what a terminal lacks', async () => {
    const screen = open('alice', { env: { TERM: 'dumb' } })
    expect(await screen.ended()).toBe(2)
    expect(screen.text).toContain('cannot move its cursor (TERM=dumb)')
  })
})
