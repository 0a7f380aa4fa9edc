// Two people talk through a relay: first contact with somebody asleep, both beginning at once, restarts.
import { afterEach, describe, expect, it } from 'vitest'
import { requireSameTalk, requireShownOnce, settle } from './checks.ts'
import { fourStrangers } from './four.ts'
import type { Person } from './person.ts'
import type { World } from './world.ts'

let world: World
afterEach(() => world.end())

/** Two contacts with two devices each, of which the second ones only look on. */
async function befriended(seed: number): Promise<{ alice: Person; bob: Person }> {
  const { world: made, phone: alice, laptop, bob, tablet } = await fourStrangers(seed)
  world = made
  for (const device of [alice, laptop]) await device.api.addContact({ link: bob.link })
  for (const device of [bob, tablet]) await device.api.addContact({ link: alice.link })
  return { alice, bob }
}

async function finish(a: Person, b: Person): Promise<void> {
  await settle(world, a, b)
  await requireSameTalk(world, a, b)
  await world.run(60_000)
  for (const person of world.people) {
    const [first, peer] = person.account === a.account ? [a, b] : [b, a]
    expect(await person.texts(peer.name), person.name).toEqual(await first.texts(peer.name))
    requireShownOnce(world, person)
  }
  for (const person of world.people) {
    if (person.isRunning) await person.stop()
    expect(await person.records('delivery/outbox'), person.name).toBe(0)
  }
}

describe('two people', () => {
  it('talk: same history in the same order, everything delivered, nothing left waiting', async () => {
    const { alice, bob } = await befriended(1)
    for (let round = 0; round < 10; round += 1) {
      await alice.send('bob', `a${round}`)
      await world.run(200)
      await bob.send('alice', `b${round}`)
      await world.run(200)
    }
    await finish(alice, bob)
  })

  it('meet while one is asleep: everything is there when she wakes', async () => {
    const { alice, bob } = await befriended(2)
    const asleep = world.people.filter(({ account }) => account === bob.account)
    for (const device of asleep) await device.stop()
    for (let round = 0; round < 5; round += 1) await alice.send('bob', `a${round}`)
    await world.run(10_000)
    expect((await alice.messages('bob')).map(({ state }) => state)).toEqual(
      Array.from({ length: 5 }, () => 'accepted')
    )
    for (const device of asleep) await device.start()
    await world.run(5_000)
    await bob.send('alice', 'good morning')
    await finish(alice, bob)
  })

  it('begin at the same time: both groups are read, later both send in one', async () => {
    const { alice, bob } = await befriended(3)
    // Neither hears the other until both have founded a group.
    await Promise.all([alice.send('bob', 'a0'), bob.send('alice', 'b0')])
    await settle(world, alice, bob)
    await alice.send('bob', 'a1')
    await bob.send('alice', 'b1')
    await finish(alice, bob)
  })
})
