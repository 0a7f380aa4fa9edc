import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newChat } from '../../src/tui/model/model.ts'
import { readRecord } from '../../src/tui/record.node.ts'
import { MemoryWorld } from '../memory-engine.ts'
import { temporaryHome } from '../run.ts'

function chats() {
  const world = new MemoryWorld()
  const bob = world.person('/bob', 'bob')
  const contact = world.person('/alice', 'alice').addContact(bob)
  return { contact, chats: new Map([[contact.conversation as string, newChat(contact, 7)]]) }
}

it('keeps theme and what was looked at, for this user alone and without saying whose', async () => {
  const home = await temporaryHome()
  const { contact, chats: some } = chats()
  const first = await readRecord(home)
  expect(first.seenBefore).toBeUndefined()
  await first.write({ chats: some, theme: 'light', hasColors: true })
  const again = await readRecord(home)
  expect(again.theme).toBe('light')
  expect(again.seenBefore?.get(contact.conversation)).toBe(7)
  expect(again.seenBefore?.get('another')).toBeUndefined()
  const file = join(home, 'terminal.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const text = await readFile(file, 'utf8')
  for (const secret of [contact.conversation, contact.account, contact.name]) {
    expect(text).not.toContain(secret)
  }
  // With NO_COLOR nothing was chosen, and conversations that are not shown now stay.
  await again.write({ chats: new Map(), theme: 'plain', hasColors: false })
  expect((await readRecord(home)).theme).toBe('light')
  expect((await readRecord(home)).seenBefore?.get(contact.conversation)).toBe(7)
})

it.each(['', '{', '[]', 'null', '{"salt":1,"seen":{}}', `{"salt":"a","seen":{"x":"y"}`])(
  'takes a damaged file for none: %s',
  async (text) => {
    const home = await temporaryHome()
    await writeFile(join(home, 'terminal.json'), text)
    expect((await readRecord(home)).seenBefore).toBeUndefined()
  }
)
