// What goes wrong between people without anybody lying: a removed device that goes on, a message sealed before a
// removal that its author had not heard of, both sides beginning while neither can be reached.
import { afterEach, describe, expect, it } from 'vitest'
import { requireSameTalk, settle } from './checks.ts'
import { comeHome, type Four, fourDevices } from './four.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

async function begin(seed: number, options?: Parameters<typeof fourDevices>[1]): Promise<Four> {
  const four = await fourDevices(seed, options)
  world = four.world
  return four
}

/** Alice's phone takes her laptop out of the account, and her chats. */
async function removeLaptop({ phone, laptop }: Four): Promise<void> {
  const removed = phone.api.removeDevice({ device: laptop.device })
  await world.run(2_000)
  await removed
  await world.run(20_000)
}

async function requireSame(...people: readonly (readonly [Person, string])[]): Promise<void> {
  const talks = await Promise.all(people.map(([person, peer]) => person.texts(peer)))
  for (const talk of talks) expect(talk).toEqual(talks[0])
}

describe('a removed device', () => {
  it('that knows of it is told so when it writes, and nothing goes out', async () => {
    const four = await begin(1)
    const { laptop, bob } = four
    await removeLaptop(four)
    await comeHome(laptop)
    await world.run(10_000)
    await expect(laptop.api.sendMessage({ to: 'bob', text: 'still here?' })).rejects.toMatchObject({
      code: 'device-removed'
    })
    expect(laptop.eventsOf('notice').map(({ text }) => text)).toContain(
      'This device was removed from its account.'
    )
    await world.run(20_000)
    expect(await bob.texts('alice')).not.toContain('still here?')
  })

  it('that has not heard of it goes on writing, to the relay and straight to others: nobody takes it', async () => {
    const four = await begin(2, { direct: true })
    const { phone, laptop, bob, tablet } = four
    world.cut(laptop)
    await removeLaptop(four)
    await laptop.send('bob', 'straight to you')
    await world.run(30_000)
    world.heal(laptop)
    await world.run(120_000)
    for (const person of [bob, tablet]) {
      expect(await person.texts('alice')).not.toContain('straight to you')
    }
    expect(await phone.texts('bob')).not.toContain('straight to you')
    // Its own text is not lost to it, and is not called accepted by anybody.
    const [last] = (await laptop.messages('bob')).slice(-1)
    expect(last).toMatchObject({ text: 'straight to you', state: 'queued' })
    await phone.send('bob', 'it goes on')
    await bob.send('alice', 'without the laptop')
    await world.run(20_000)
    expect(await laptop.texts('bob')).not.toContain('without the laptop')
    await requireSame([phone, 'bob'], [bob, 'alice'], [tablet, 'alice'])
  })

  it('what it wrote in time, and others hold, stays with everybody', async () => {
    const four = await begin(3)
    const { phone, laptop, bob, tablet } = four
    world.cut(tablet)
    await laptop.send('bob', 'in time')
    await world.run(5_000)
    await removeLaptop(four)
    world.heal(tablet)
    await world.run(60_000)
    for (const person of [bob, tablet]) expect(await person.texts('alice')).toContain('in time')
    await requireSame([phone, 'bob'], [bob, 'alice'], [tablet, 'alice'])
  })
})

describe('a message in an epoch that a removal has ended', () => {
  it.each(['relay', 'direct'] as const)(
    'of somebody who could not know is read by everybody who stays, by %s',
    async (path) => {
      const four = await begin(4, { direct: path === 'direct' })
      const { phone, bob, tablet } = four
      // Bob's phone hears of nothing while the laptop is removed.
      for (const other of [undefined, phone, tablet, four.laptop]) world.cut(bob, other)
      await removeLaptop(four)
      await bob.send('alice', 'written in the old epoch')
      await world.run(10_000)
      for (const other of [undefined, phone, tablet, four.laptop]) world.heal(bob, other)
      await world.run(180_000)
      expect(await phone.texts('bob')).toContain('written in the old epoch')
      await phone.send('bob', 'and answered in the new one')
      await world.run(30_000)
      await requireSame([phone, 'bob'], [bob, 'alice'], [tablet, 'alice'])
      expect((await bob.messages('alice')).every(({ state }) => state !== 'queued')).toBe(true)
    }
  )
})

describe('both sides', () => {
  it('begin the chat while neither reaches the relay: both texts arrive, in one order, in one chat', async () => {
    world = await World.of(5, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    await world.run(2_000)
    await world.stopRelay()
    await alice.send('bob', 'from alice, offline')
    await bob.send('alice', 'from bob, offline')
    await world.run(60_000)
    expect((await alice.messages('bob')).map(({ state }) => state)).toEqual(['queued'])
    await alice.crash()
    await alice.start()
    await world.startRelay()
    await settle(world, alice, bob)
    await alice.send('bob', 'one chat')
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
    expect(await bob.texts('alice')).toHaveLength(3)
  })
})
