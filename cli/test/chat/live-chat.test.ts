import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { createLineEditor } from '../../src/chat/terminal.node.ts'
import { type MemoryPerson, MemoryWorld } from '../memory-engine.ts'
import { run, temporaryHome } from '../run.ts'
import { VirtualTerminal } from './virtual-terminal.ts'

let home: string
let world: MemoryWorld
let alice: MemoryPerson
let bob: MemoryPerson

beforeEach(async () => {
  home = await temporaryHome()
  world = new MemoryWorld()
  alice = world.person(home, 'alice')
  bob = world.person('/bob', 'bob')
  alice.addContact(bob)
  bob.addContact(alice)
})

function openChat(columns = 60, rows = 24, env: Record<string, string> = {}) {
  const keys = new PassThrough()
  const screen = new VirtualTerminal(columns, rows)
  const going = run(['chat', 'bob'], {
    home,
    engine: world,
    isTerminal: true,
    editor: createLineEditor(keys, screen),
    env
  })
  /** What stands on the screen, times replaced. */
  const shown = () => screen.text.map((line) => line.replace(/^\d\d:\d\d/, 'hh:mm')).filter(Boolean)
  return { keys, screen, going, shown }
}

const ready = (chat: { shown: () => string[] }) => expect.poll(() => chat.shown().at(-1)).toBe('>')

describe('a chat on a terminal', () => {
  it('replaces the typed line by the message and changes its mark in place', async () => {
    alice.reach = 'accepted'
    const chat = openChat(100)
    await ready(chat)
    chat.keys.write('hello\r')
    await expect
      .poll(chat.shown)
      .toEqual([
        'chat with bob   ○ queued  ✓ accepted  ✓✓ delivered   Ctrl-D ends',
        'hh:mm ✓  alice: hello',
        '>'
      ])
    alice.update(1, { state: 'delivered' })
    await expect.poll(() => chat.shown().slice(1)).toEqual(['hh:mm ✓✓ alice: hello', '>'])
    chat.keys.end()
    expect((await chat.going).code).toBe(0)
  })

  it('prints what arrives above a half-typed line, which stays', async () => {
    const chat = openChat(100)
    await ready(chat)
    chat.keys.write('half a th')
    await expect.poll(() => chat.shown().at(-1)).toBe('> half a th')
    alice.receive(bob, 'hi\nand more')
    await expect
      .poll(() => chat.shown().slice(1))
      .toEqual(['hh:mm bob: hi', '      │ and more', '> half a th'])
    chat.keys.write('ought\r')
    await expect.poll(() => chat.shown().slice(3)).toEqual(['hh:mm ✓✓ alice: half a thought', '>'])
    chat.keys.end()
    await chat.going
  })

  it('changes the mark of a message that stands above others, long ones among them', async () => {
    alice.reach = 'queued'
    const chat = openChat(40)
    await ready(chat)
    chat.keys.write('first\r')
    await expect.poll(() => chat.shown().join()).toContain('○  alice: first')
    alice.receive(bob, 'x'.repeat(100))
    chat.keys.write(`${'y'.repeat(70)}\r`)
    await expect.poll(() => chat.shown().join()).toContain('○  alice: yyy')
    alice.update(1, { state: 'accepted', relays: 1 })
    alice.update(3, { state: 'delivered' })
    await expect.poll(() => chat.shown().join()).toContain('✓✓ alice: yyy')
    expect(chat.shown().join()).toContain('✓  alice: first')
    expect(chat.shown().at(-1)).toBe('>')
    chat.keys.end()
    await chat.going
  })

  it('does not guess where a message stands: it says the state on a line of its own', async () => {
    alice.reach = 'queued'
    const chat = openChat(40)
    await ready(chat)
    chat.keys.write('lost from sight\r')
    await expect.poll(() => chat.shown().join()).toContain('○  alice: lost')
    // Nobody knows how many columns a terminal gives these.
    alice.receive(bob, '🏳️‍🌈'.repeat(15))
    alice.update(1, { state: 'delivered' })
    await expect.poll(() => chat.shown().at(-2)).toBe('      ✓✓ lost from sight')
    chat.keys.end()
    await chat.going
  })

  it('leaves a message alone that has scrolled away', async () => {
    alice.reach = 'queued'
    const chat = openChat(60, 8)
    await ready(chat)
    chat.keys.write('old\r')
    await expect.poll(() => chat.shown().join()).toContain('○  alice: old')
    for (let count = 0; count < 10; count++) alice.receive(bob, `line ${count}`)
    alice.update(1, { state: 'delivered' })
    await expect.poll(() => chat.shown().at(-2)).toBe('      ✓✓ old')
    expect(chat.shown().join()).toContain('○  alice: old')
    chat.keys.end()
    await chat.going
  })

  it('shows recent messages first, each once', async () => {
    alice.receive(bob, 'from before')
    const chat = openChat()
    await ready(chat)
    alice.receive(bob, 'new')
    await expect.poll(() => chat.shown().join()).toContain('new')
    expect(chat.shown().filter((line) => line.includes('from before'))).toHaveLength(1)
    chat.keys.end()
    await chat.going
  })

  it('refuses a text on the spot and goes on', async () => {
    const chat = openChat(200)
    await ready(chat)
    chat.keys.write(`${'é'.repeat(8_193)}\r`)
    await expect.poll(() => chat.shown().join('')).toContain('at most 16384. Nothing was sent.')
    chat.keys.write('fine\r')
    await expect.poll(() => bob.messages.map(({ text }) => text)).toEqual(['fine'])
    chat.keys.end()
    await chat.going
  })

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['/quit', '/quit\r']
  ])('ends in order with %s', async (_, keys) => {
    const chat = openChat()
    await ready(chat)
    chat.keys.write(keys)
    expect((await chat.going).code).toBe(0)
    expect(alice.isHeld).toBe(false)
    expect(alice.listenerCount).toBe(0)
  })

  it('sends nothing of the other side to the terminal as control', async () => {
    // The virtual terminal throws on every sequence that the chat does not use itself.
    const chat = openChat(100)
    await ready(chat)
    alice.receive(bob, '\u001B]0;title\u0007\u001B[2J\u009B1;1H\u202Egpj.exe\u0008')
    await expect.poll(() => chat.shown().join()).toContain('bob: ␛]0;title␇␛[2J<9B>1;1Hgpj.exe␈')
    chat.keys.end()
    expect((await chat.going).code).toBe(0)
  })
})
