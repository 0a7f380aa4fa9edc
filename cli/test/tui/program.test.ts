import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '@kith/node'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { cellsOf } from '../../src/tui/cells.ts'
import { BINDINGS } from '../../src/tui/keys.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { type Options, TuiStage } from './stage.ts'

const ENTER = '\r'
const ESCAPE = '\u001B'
const UP = '\u001B[A'
const DOWN = '\u001B[B'
const PAGE_UP = '\u001B[5~'
const CTRL_C = '\u0003'

let world: MemoryWorld
let alice: MemoryPerson
let bob: MemoryPerson
let carol: MemoryPerson

beforeEach(() => {
  world = new MemoryWorld()
  alice = world.person('/alice', 'alice')
  bob = world.person('/bob', 'bob')
  carol = world.person('/carol', 'carol')
  alice.addContact(bob)
  alice.addContact(carol)
  bob.addContact(alice)
  carol.addContact(alice)
})

const shows = (stage: TuiStage, text: string | RegExp) =>
  expect
    .poll(() => stage.text)
    .toEqual(typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text))

/** Marks a conversation in the list of two. */
function choose(stage: TuiStage, who: string): void {
  stage.press(UP)
  if (stage.program.model.current !== alice.find(who).conversation) stage.press(DOWN)
  expect(stage.program.model.current).toBe(alice.find(who).conversation)
}

/** In the conversation with bob. */
async function inChat(options: Options = {}): Promise<TuiStage> {
  const stage = new TuiStage(alice, options)
  await shows(stage, 'carol')
  choose(stage, 'bob')
  stage.press(ENTER)
  await shows(stage, 'Enter send')
  return stage
}

describe('a conversation', () => {
  it('sends with Enter, takes several lines as one message, and shows states in place', async () => {
    alice.reach = 'queued'
    const stage = await inChat()
    stage.press('one', '\u001B\r', 'two', '\n', '\u001B[13;2u', 'three', ENTER)
    await shows(stage, /○ {2}alice: one\n.*│ two\n.*│ *\n.*│ three {2}queued: no relay is reached/)
    alice.update(1, { state: 'accepted', relays: 1, reason: undefined })
    await shows(stage, '✓  alice: one')
    alice.update(1, { state: 'delivered', path: 'direct' })
    await shows(stage, /✓✓ alice: one\n.*\n.*\n.*three {2}direct/)
    expect(alice.messages.map(({ text }) => text)).toEqual(['one\ntwo\n\nthree'])
  })

  it('keeps what could not be sent, with the reason in words and what was typed since', async () => {
    const stage = await inChat()
    alice.refusal = new UserError('outbox-full', '10,000 messages wait.', { hint: 'wait' })
    stage.press('important', ENTER)
    stage.press('more')
    await shows(stage, 'Not sent: 10,000 messages wait. Try: wait')
    expect(stage.text).toMatch(/> important\n.*more/)
    alice.refusal = undefined
    stage.press(ENTER)
    await expect.poll(() => alice.messages.at(-1)?.text).toBe('important\nmore')
    stage.press('é'.repeat(9_000), ENTER)
    await shows(stage, 'at most 16384. Nothing was sent.')
    expect(stage.program.model.chats.get(alice.find('bob').conversation)?.draft.text).toHaveLength(
      9_000
    )
  })

  it('loads earlier pages at the top and stays in place when something new comes', async () => {
    for (let count = 1; count <= 120; count++) alice.receive(bob, `number ${count}.`)
    const stage = await inChat()
    await shows(stage, 'number 120.')
    for (let count = 0; count < 20 && !stage.text.includes('number 1.'); count++) {
      stage.press(PAGE_UP)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(stage.text).toContain('number 1.')
    const before = stage.rows.slice(2, 20)
    alice.receive(bob, 'number 121.')
    await shows(stage, '(1 new)')
    expect(stage.rows.slice(2, 20)).toEqual(before)
    stage.press(...Array.from({ length: 20 }, () => '\u001B[6~'))
    await shows(stage, 'number 121.')
    expect(stage.text).not.toContain('new)')
  })

  it('finds text in what is loaded, upwards', async () => {
    for (let count = 1; count <= 40; count++)
      alice.receive(bob, `${count % 10 === 0 ? 'Ten' : 'x'} ${count}`)
    const stage = await inChat()
    await shows(stage, 'Ten 40')
    stage.press('\u0006', 'ten', ENTER, ENTER, ENTER)
    expect(stage.text).toContain('Ten 20')
    stage.press(ENTER, ENTER)
    expect(stage.text).toContain('is not in loaded messages further up')
    stage.press(ESCAPE, ESCAPE)
    expect(stage.text).toContain('q leave')
  })

  it('shows gaps, notices and their end', async () => {
    const stage = await inChat()
    const { conversation } = alice.find('bob')
    const device = alice.view().device
    const gap = { conversation, missing: { device, from: 3, to: 4 } }
    alice.emit({ type: 'gap', gap })
    alice.emit({ type: 'devices', conversation, device, text: 'bob added a device' })
    await shows(stage, '-- messages 3 to 4 of device')
    await shows(stage, '-- bob added a device --')
    alice.emit({ type: 'gap-closed', gap })
    await expect.poll(() => stage.text).not.toContain('messages 3 to 4')
  })

  it('takes what the editor left, and asks before a text is lost', async () => {
    const stage = await inChat({ edited: '\nfrom the editor' })
    stage.press('typed', '\u0005')
    await shows(stage, /> typed\n.*from the editor/)
    stage.press(CTRL_C)
    expect(stage.text).toContain('A text is not sent')
    stage.press('n')
    expect(stage.done).not.toContain('quit')
    stage.press(CTRL_C, CTRL_C)
    expect(stage.done).toContain('quit')
  })

  it('reads what it missed when the holder of the store changed', async () => {
    const stage = await inChat()
    const { conversation } = alice.find('bob')
    alice.messages.push({ ...alice.receive(bob, 'seen'), local: 2, text: 'missed', conversation })
    expect(stage.text).not.toContain('missed')
    stage.reopen()
    await shows(stage, 'missed')
  })
})

describe('the list', () => {
  it('counts what came and was not looked at', async () => {
    const stage = new TuiStage(alice)
    await shows(stage, 'carol')
    alice.receive(carol, 'one')
    alice.receive(carol, 'two')
    await shows(stage, /carol +2 /)
    await shows(stage, '2 unread')
    choose(stage, 'carol')
    stage.press(ENTER)
    await expect.poll(() => stage.text).not.toContain('unread')
    expect(stage.done).toContain('remember')
  })

  it('counts what came while it was closed, by the record', async () => {
    alice.receive(bob, 'old')
    alice.receive(bob, 'new')
    const { conversation } = alice.find('bob')
    const seenBefore = { get: (one: string) => (one === conversation ? 1 : undefined) }
    await shows(new TuiStage(alice, { seenBefore }), '1 unread')
    const first = new TuiStage(alice)
    await shows(first, 'relay ✓')
    expect(first.text).not.toContain('unread')
  })

  it('adds a contact by link under a name', async () => {
    const stage = new TuiStage(alice)
    const dave = world.person('/dave', 'dave')
    await shows(stage, 'carol')
    stage.press('n', 'nonsense', ENTER, ENTER)
    await shows(stage, 'This is not a contact link.')
    await shows(stage, '> nonsense')
    stage.press('\u0015', dave.link, ENTER, 'David', ENTER)
    await shows(stage, ' David')
    expect(alice.find('David').account).toBe(dave.account)
  })
})

describe('people and devices', () => {
  async function atPeople(): Promise<TuiStage> {
    const stage = new TuiStage(alice)
    alice.strangers.requests.push({
      account: world.person('/eve', 'eve').account,
      name: '~eve-evaaaaaa',
      text: 'hello\u001B[2J',
      atMs: 0
    })
    await shows(stage, 'carol')
    stage.press('p')
    await shows(stage, '~eve')
    return stage
  }

  it('accepts a stranger under a name, having shown what was written', async () => {
    const stage = await atPeople()
    expect(stage.text).toContain('│ hello␛[2J')
    stage.press('a', 'Eve', ENTER)
    await shows(stage, 'Eve is a contact now')
    expect(alice.find('Eve').name).toBe('Eve')
  })

  it('ignores, blocks and unblocks after a yes only', async () => {
    const stage = await atPeople()
    stage.press('i', 'n')
    expect(alice.strangers.requests).toHaveLength(1)
    stage.press('i', 'y')
    await shows(stage, 'ignored ~eve')
    await expect.poll(() => stage.text).not.toContain('asks')
    stage.press('b', 'y')
    await shows(stage, /bob +blocked/)
    expect(alice.contacts.get('bob')?.isBlocked).toBe(true)
    stage.press(DOWN, DOWN, 'b', 'y')
    await expect.poll(() => alice.contacts.get('bob')?.isBlocked).toBe(false)
  })

  it('compares the safety number and marks the contact', async () => {
    const stage = await atPeople()
    stage.press(DOWN, 'v')
    await shows(stage, '01234 56789 01234 56789')
    stage.press('12345', ENTER)
    await shows(stage, 'These digits are not your safety number.')
    stage.press('\u0015', '0123456789'.repeat(6), ENTER)
    await shows(stage, /bob +✓ verified/)
  })

  it('shows the own link and hands it to the terminal', async () => {
    const stage = new TuiStage(alice)
    await shows(stage, 'carol')
    stage.press('a')
    await shows(stage, 'kith:contact/')
    stage.press('c')
    expect(stage.done).toContain(`copy ${alice.link}`)
  })

  it('renames a device, and removes one after a yes only', async () => {
    const stage = new TuiStage(alice)
    await shows(stage, 'carol')
    stage.press('d')
    await shows(stage, 'laptop (this one)')
    stage.press('r', '\u0015', 'desk', ENTER)
    await shows(stage, 'desk (this one)')
    stage.press('x', 'n')
    stage.press('x', 'y')
    await shows(stage, 'A device does not remove itself.')
  })
})

describe('a first start', () => {
  it('leads to an account whose words were written down', async () => {
    const stage = new TuiStage(undefined, { columns: 40, rows: 12 })
    expect(stage.text).toContain('There is no account')
    stage.press('nonsense', ENTER, 'alice', ENTER)
    await shows(stage, 'No join link.')
    await shows(stage, '> nonsense')
    stage.press('\u0015', 'kith:join/x', ENTER, 'alice', ENTER)
    await shows(stage, 'Type word 5')
    for (const word of [1, 12, 24]) expect(stage.text).toContain(`${word} word${word}`)
    stage.press(ESCAPE, 'word4', ENTER)
    expect(stage.text).toContain('That is not the word')
    stage.press(CTRL_C)
    expect(stage.text).toContain('The recovery words are not')
    stage.press('n', 'word5', ENTER)
    await expect.poll(() => stage.done).toContain('open')
    expect(stage.text).not.toContain('word5')
  })
})

describe('the screen', () => {
  const SIZES = [
    [120, 30],
    [80, 24],
    [40, 12],
    [20, 6],
    [5, 2]
  ] as const

  it('is never wider or higher than the terminal and holds no control character', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 80 })
    const stage = await inChat()
    await fc.assert(
      fc.asyncProperty(text, text, async (body, claimed) => {
        alice.receive({ ...bob, account: bob.account }, body)
        alice.contacts.set('bob', { ...alice.find('bob'), name: claimed })
        stage.reopen()
        await new Promise((resolve) => setImmediate(resolve))
        for (const [columns, rows] of SIZES) {
          stage.program.dispatch({ type: 'resize', columns, rows })
          const drawn = stage.rows
          expect(drawn.length).toBeLessThanOrEqual(rows)
          for (const row of drawn) {
            // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are the only sequences
            const shown = row.replace(/\u001B\[[\d;]*m/g, '')
            expect(cellsOf(shown)).toBeLessThanOrEqual(columns)
            expect(shown).not.toMatch(/\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u)
          }
        }
        alice.contacts.set('bob', { ...alice.find(bob.account), name: 'bob' })
      }),
      { numRuns: 8 }
    )
  })

  it('survives whatever is pressed in whatever order, while messages come', async () => {
    const keys = BINDINGS.flatMap(({ names }) => names).filter((name) => name !== 'ctrl+c')
    const key = fc.oneof(
      fc
        .constantFrom(...keys, 'backspace', 'left', 'delete')
        .map((name) => ({ type: 'key' as const, name })),
      fc
        .constantFrom('a', 'y', '\n', '👩‍👩‍👧', 'é', 'kith:')
        .map((text) => ({ type: 'text' as const, text }))
    )
    await fc.assert(
      fc.asyncProperty(fc.array(key, { minLength: 20, maxLength: 80 }), async (pressed) => {
        const stage = new TuiStage(alice, { columns: 60, rows: 14 })
        for (const [index, one] of pressed.entries()) {
          stage.program.dispatch({ type: 'key', key: one, nowMs: 0 })
          if (index % 9 === 0) alice.emit({ type: 'notice', text: 'news' })
          if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        expect(stage.rows.length).toBeLessThanOrEqual(14)
      }),
      { numRuns: 20 }
    )
  })

  it('keeps to plain with NO_COLOR', async () => {
    const stage = new TuiStage(alice, { hasColors: false })
    stage.press('t')
    expect(stage.text).toContain('NO_COLOR is set')
    expect(stage.program.model.theme).toBe('dark')
  })

  it('shows every key, and so does the manual', async () => {
    const manual = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
    const stage = new TuiStage(alice, { columns: 100, rows: 80 })
    stage.press('?')
    for (const { shown, what } of BINDINGS) {
      expect(stage.text).toContain(what)
      const keys = shown.split(' ').map((key) => `\`${key}\``)
      expect(manual).toContain(`| ${keys.join(' ')} | ${what} |`)
    }
  })
})
