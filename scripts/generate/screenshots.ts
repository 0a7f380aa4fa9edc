// Makes the pictures of the README from a real session: a relay, accounts and messages as processes on this machine, and the
// full screen of one of them on a terminal. `node scripts/generate/screenshots.ts`, after a build; takes about 20 s.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Screen } from '@kith/cli/testing'
import { Stage } from '../network/kith.ts'
import { DARK, LIGHT, type Palette, terminalSvg } from './terminal-svg.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const KITH = join(ROOT, 'cli', 'bin', 'kith.js')
const FOLDER = join(ROOT, 'docs', 'screenshots')

const ENTER = '\r'
const ESCAPE = '\u001B'

/** What bob and carol write while alice is away. */
const FROM_BOB = ['Have you seen the new timetable? 🚆', 'The late one goes at 23:10 now.']
const FROM_CAROL = ['Concert on Friday? 音楽会', 'I have two tickets.']

function save(name: string, screen: Screen, options: { palette: Palette; title: string }): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, `${name}.svg`), terminalSvg(screen.cells, options))
  process.stdout.write(`docs/screenshots/${name}.svg\n`)
}

function openScreen(stage: Stage, options: { columns: number; rows: number; theme: string }) {
  const { columns, rows, theme } = options
  const argv = [process.execPath, KITH, '--home', stage.home('alice'), 'tui', '--theme', theme]
  return Screen.start(argv, { columns, rows, folder: stage.folder, env: { TZ: 'UTC' } })
}

/** Alice knows bob and carol; dave has her link only. */
async function setUp(stage: Stage): Promise<void> {
  await stage.introduce('alice', 'bob')
  const relay = await stage.kithJson('alice', 'account', 'show')
  const { link, homes } = relay[0] as {
    link: string
    homes: { relay: string; addresses: string[] }[]
  }
  const join = `kith:join/${homes[0]?.relay}?address=${encodeURIComponent(homes[0]?.addresses[0] ?? '')}`
  for (const name of ['carol', 'dave']) {
    const made = await stage.kithJson(name, 'account', 'create', '--name', name, '--relay', join)
    const theirs = (made[0] as { account: { link: string } }).account.link
    await stage.kith(name, 'contact', 'add', link, '--name', 'alice')
    if (name === 'carol') await stage.kith('alice', 'contact', 'add', theirs, '--name', name)
  }
}

const write = (stage: Stage, from: string, text: string): Promise<string> =>
  stage.kith(from, 'message', 'send', 'alice', text, '--wait', 'accepted')

async function talk(stage: Stage): Promise<void> {
  const wide = openScreen(stage, { columns: 100, rows: 24, theme: 'dark' })
  try {
    await wide.shows('relay ✓')
    for (const text of FROM_BOB) await write(stage, 'bob', text)
    await wide.shows(FROM_BOB[1] ?? '')
    wide.type(ENTER)
    await wide.shows('Enter send')
    wide.type(`Then we can stay until the end!${ENTER}`)
    await wide.shows('by relay')
    const bob = stage.startKith('bob', { args: ['message', 'watch'] })
    await wide.shows('✓✓')
    await bob.stop()
    wide.type('\u001B[200~Shall I bring\n- bread\n- the good cheese\u001B[201~')
    wide.type(ENTER)
    await wide.shows(/✓ {2}alice: Shall I bring/)
    for (const text of FROM_CAROL) await write(stage, 'carol', text)
    await wide.shows('2 unread')
    await write(stage, 'dave', 'Hello, we met on the train. Dave')
    await wide.shows('1 asking')
    wide.type('and lemonade?')
    await wide.shows('> and lemonade?')
    save('conversations', wide, {
      palette: DARK,
      title: 'Conversations on the full screen: a list with unread counts, and a talk with states'
    })
    wide.type(`\u0015${ESCAPE}`)
    await wide.shows('q leave')
    wide.type('p')
    await wide.shows('wrote at')
    save('people', wide, {
      palette: DARK,
      title: 'Requests and contacts, with what a stranger wrote'
    })
    wide.type('\u0003')
    await wide.ended()
  } finally {
    await wide.stop()
  }
}

async function narrow(stage: Stage): Promise<void> {
  const screen = openScreen(stage, { columns: 40, rows: 12, theme: 'light' })
  try {
    await screen.shows('carol')
    screen.type(ENTER)
    await screen.shows('tickets')
    await screen.shows('Enter send')
    await screen.shows('relay ✓')
    save('narrow', screen, { palette: LIGHT, title: 'A conversation on a terminal of 40 x 12' })
  } finally {
    await screen.stop()
  }
}

const stage = new Stage(new AbortController().signal)
try {
  await setUp(stage)
  await talk(stage)
  await narrow(stage)
} finally {
  await stage.close()
}
