// Live events: a listener that never reads is cut off alone.
import { UserError } from '@kith/node'
import { afterEach, expect, it } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

/** More than wait for one listener. */
const EVENTS = 10_500

it('cuts off a listener that never reads, tells it so, and blocks nobody else', async () => {
  world = await World.of(1, ['alice', 'bob'])
  const [alice, bob] = world.people as [Person, Person]
  const never = alice.api.events(new AbortController().signal)
  // Each change of a contact is an event.
  for (let count = 0; count < EVENTS; count += 1) await alice.api.addContact({ link: bob.link })
  await world.run(100)
  expect(alice.eventsOf('contact')).toHaveLength(EVENTS)
  let seen = 0
  const read = async () => {
    for await (const _ of never) {
      seen += 1
      // Whoever reads late gets no stream with a hole in the middle.
      if (seen % 100 === 0) await alice.api.addContact({ link: bob.link })
    }
  }
  await expect(read()).rejects.toSatisfy(
    (error) => error instanceof UserError && error.code === 'events-overrun'
  )
  expect(seen).toBe(10_000)
})
