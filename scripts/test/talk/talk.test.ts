// Two people talk through a relay: first contact with somebody asleep, both beginning at once, restarts.
import { afterEach, describe, expect, it } from 'vitest'
import { requireNothingWaits, requireSameTalk, settle } from './checks.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

async function befriend(a: Person, b: Person): Promise<void> {
  await a.api.addContact({ link: b.link })
  await b.api.addContact({ link: a.link })
}

async function finish(a: Person, b: Person): Promise<void> {
  await settle(world, a, b)
  await requireSameTalk(world, a, b)
  await world.run(60_000)
  for (const person of [a, b]) await requireNothingWaits(world, person)
}

describe('two people', () => {
  it('talk: same history in the same order, everything delivered, nothing left waiting', async () => {
    world = await World.of(1, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await befriend(alice, bob)
    for (let round = 0; round < 10; round += 1) {
      await alice.send('bob', `a${round}`)
      await world.run(200)
      await bob.send('alice', `b${round}`)
      await world.run(200)
    }
    await finish(alice, bob)
  })

  it('meet while one is asleep: everything is there when she wakes', async () => {
    world = await World.of(2, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await befriend(alice, bob)
    await bob.stop()
    for (let round = 0; round < 5; round += 1) await alice.send('bob', `a${round}`)
    await world.run(10_000)
    expect((await alice.messages('bob')).map(({ state }) => state)).toEqual(
      Array.from({ length: 5 }, () => 'accepted')
    )
    await bob.start()
    await world.run(5_000)
    await bob.send('alice', 'good morning')
    await finish(alice, bob)
  })

  it('begin at the same time: both groups are read, later both send in one', async () => {
    world = await World.of(3, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await befriend(alice, bob)
    // Neither hears the other until both have founded a group.
    await Promise.all([alice.send('bob', 'a0'), bob.send('alice', 'b0')])
    await settle(world, alice, bob)
    await alice.send('bob', 'a1')
    await bob.send('alice', 'b1')
    await finish(alice, bob)
  })
})
