// A conversation read page by page: everything once, in order, whatever the size of a page.
import { afterEach, expect, it } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

/** All of a conversation, as a script would read it. */
async function readAll(person: Person, who: string, limit: number): Promise<readonly string[]> {
  const texts: string[] = []
  let before: string | undefined
  for (;;) {
    const page = before === undefined ? {} : { before }
    const { messages } = await person.api.listMessages({ with: who, limit, ...page })
    texts.unshift(...messages.map(({ text }) => text))
    before = messages[0]?.id
    if (messages.length < limit || before === undefined) return texts
  }
}

it('pages are whole and in order, also of what is not delivered yet, and after a restart', async () => {
  world = await World.of(1, ['alice', 'bob'])
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  await bob.api.addContact({ link: alice.link })
  for (let count = 0; count < 150; count += 1) {
    await alice.send('bob', `a${count}`)
    if (count % 3 === 0) await bob.send('alice', `b${count}`)
    if (count % 10 === 0) await world.run(2_000)
  }
  await world.run(5_000)
  world.cut(alice)
  for (let count = 0; count < 20; count += 1) await alice.send('bob', `later ${count}`)
  await world.run(2_000)
  const all = await alice.texts('bob')
  expect(all).toHaveLength(220)
  for (const limit of [1, 7, 64, 219, 220, 221]) {
    expect(await readAll(alice, 'bob', limit), `pages of ${limit}`).toEqual(all)
  }
  await alice.stop()
  await alice.start()
  expect(await readAll(alice, 'bob', 64)).toEqual(all)
  for (const before of ['', 'x', 'a'.repeat(52)]) {
    await expect(alice.api.listMessages({ with: 'bob', before })).rejects.toMatchObject({
      code: 'unknown-message'
    })
  }
})
