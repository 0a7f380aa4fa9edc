// Long outboxes: composing stays as quick as it was, and all of it leaves in order.
import { afterEach, expect, it } from 'vitest'
import { requireNothingWaits, requireSameTalk, settle } from './checks.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

const MESSAGES = 600
/** Quadratic growth would make the second half three times as dear; a busy machine does less. */
const SLOWER_MAX = 2

it('composes thousands of messages without a relay, each as quickly as the first', {
  timeout: 60_000
}, async () => {
  world = await World.of(1, ['alice', 'bob'], {
    limits: { strangerEntriesMax: 1_024, strangerBytesMax: 2 ** 24 }
  })
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  await bob.api.addContact({ link: alice.link })
  await alice.send('bob', 'hello')
  await bob.send('alice', 'hello too')
  await world.run(5_000)
  await world.stopRelay()
  const composeSome = async (count: number): Promise<number> => {
    const startedAt = performance.now()
    for (let sent = 0; sent < count; sent += 1) await alice.send('bob', `text ${alice.sent.length}`)
    return performance.now() - startedAt
  }
  // The first are slower: code is being compiled.
  await composeSome(MESSAGES / 4)
  const firstMs = await composeSome(MESSAGES / 2)
  const secondMs = await composeSome(MESSAGES / 2)
  expect(secondMs, `after ${firstMs} ms`).toBeLessThan(firstMs * SLOWER_MAX + 200)
  await world.startRelay()
  await settle(world, alice, bob)
  await requireSameTalk(world, alice, bob)
  await world.run(60_000)
  for (const person of [alice, bob]) await requireNothingWaits(world, person)
})
