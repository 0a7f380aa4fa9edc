// Clocks that are ten years off, on one device, on a contact or on the relay, from the beginning or all at once:
// nothing is lost, nothing is over early, and all see one order.
import { HOUR_MS } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { requireNothingWaits, requireSameTalk, settle } from './checks.ts'
import { addDevice, comeHome } from './four.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS

let world: World
afterEach(() => world.end())

type Side = 'alice' | 'bob' | 'relay'
type Offsets = Partial<Record<Side, number>>

const CASES: [string, Offsets][] = [
  ['ahead on one device', { alice: TEN_YEARS_MS }],
  ['behind on one device', { alice: -TEN_YEARS_MS }],
  ['ahead on the contact', { bob: TEN_YEARS_MS }],
  ['behind on the contact', { bob: -TEN_YEARS_MS }],
  ['ahead on the relay', { relay: TEN_YEARS_MS }],
  ['behind on the relay', { relay: -TEN_YEARS_MS }],
  ['apart on both', { alice: TEN_YEARS_MS, bob: -TEN_YEARS_MS }]
]

async function begin(seed: number, { alice = 0, bob = 0, relay = 0 }: Offsets = {}) {
  world = new World(seed)
  world.relayClock.offsetMs = relay
  await world.startRelay()
  const people = [
    world.join('alice', { clockOffsetMs: alice }),
    world.join('bob', { clockOffsetMs: bob })
  ] as const
  for (const person of people) await person.start()
  await world.run(1_000)
  return people
}

/** A question and an answer, one after the other, so that there is one right order. */
async function talk(alice: Person, bob: Person, about: string): Promise<string[]> {
  const said: string[] = []
  for (const [index, who] of [alice, bob, alice, bob].entries()) {
    const text = `${about} ${index}`
    await who.send(who === alice ? 'bob' : 'alice', text)
    said.push(text)
    await world.run(3_000)
  }
  return said
}

describe.each(CASES)('clocks that are ten years %s', (_where, offsets) => {
  it('keep nobody from a first contact with somebody asleep, nor from talking on in order', async () => {
    const [alice, bob] = await begin(1, offsets)
    await bob.stop()
    await alice.api.addContact({ link: bob.link })
    await alice.send('bob', 'while you slept')
    // Long after the key packages were left there.
    await world.run(48 * HOUR_MS)
    await bob.start()
    await world.run(5_000)
    expect(await bob.api.listRequests()).toMatchObject([{ text: 'while you slept' }])
    await bob.api.addContact({ link: alice.link })
    await world.run(2_000)
    const said = ['while you slept', ...(await talk(alice, bob, 'then'))]
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
    expect(await bob.texts('alice')).toEqual(said)
    expect((await alice.messages('bob')).filter(({ outgoing }) => outgoing)).toHaveLength(3)
    for (const person of [alice, bob]) await requireNothingWaits(world, person)
  })

  it('lose nothing over restarts of everybody', async () => {
    const [alice, bob] = await begin(2, offsets)
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    const said = await talk(alice, bob, 'before')
    await alice.send('bob', 'on the way')
    await Promise.all([alice.crash(), world.crashRelay()])
    await bob.stop()
    await world.startRelay()
    for (const person of [alice, bob]) await person.start()
    await world.run(5_000)
    const kept = await alice.texts('bob')
    expect(kept.slice(0, said.length)).toEqual(said)
    await talk(alice, bob, 'after')
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
  })

  it('let a second device in, which shows what is said from then on in the same order', async () => {
    const [alice, bob] = await begin(3, offsets)
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    const said = await talk(alice, bob, 'before')
    const laptop = await addDevice(world, alice, 'laptop')
    await laptop.api.addContact({ link: bob.link })
    for (const person of [alice, bob]) await comeHome(person)
    await world.run(20_000)
    await bob.send('alice', 'to both')
    await world.until('there', async () => (await laptop.texts('bob')).includes('to both'))
    await laptop.send('bob', 'from the laptop')
    await world.run(5_000)
    await alice.send('bob', 'from the first')
    await world.run(5_000)
    const since = ['to both', 'from the laptop', 'from the first']
    // It was added without the bundle that a link hands over, so it has no more than that.
    expect(await laptop.texts('bob')).toEqual(since)
    for (const [person, who] of [
      [alice, 'bob'],
      [bob, 'alice']
    ] as const) {
      expect(await person.texts(who)).toEqual([...said, ...since])
    }
  })
})

describe('a clock that is set while people talk', () => {
  it('back to the right time hides no word about new devices of a contact', async () => {
    const [alice, bob] = await begin(5, { alice: TEN_YEARS_MS })
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    await talk(alice, bob, 'before')
    alice.clock.offsetMs = 0
    await addDevice(world, bob, 'tablet')
    for (const person of [alice, bob]) await comeHome(person)
    await world.run(20_000)
    const { messages, notices } = await alice.api.listMessages({ with: 'bob', limit: 2 })
    expect(messages).toHaveLength(2)
    expect(notices.map(({ text }) => text).join()).toContain('device')
  })

  it.each([
    ['ahead', TEN_YEARS_MS],
    ['back', -TEN_YEARS_MS]
  ])('by ten years %s, and right again, loses nothing and keeps the order', async (_way, byMs) => {
    const [alice, bob] = await begin(4)
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    const said = await talk(alice, bob, 'at first')
    for (const clock of [alice.clock, bob.clock, world.relayClock]) {
      // With something under way in every direction, and receipts owed.
      await Promise.all([
        alice.send('bob', `a ${said.length}`),
        bob.send('alice', `b ${said.length}`)
      ])
      clock.offsetMs = byMs
      await settle(world, alice, bob)
      said.push(...(await alice.texts('bob')).slice(said.length))
      said.push(...(await talk(alice, bob, `set ${said.length}`)))
      await alice.send('bob', `again ${said.length}`)
      clock.offsetMs = 0
      await settle(world, alice, bob)
      said.push(`again ${said.length}`)
      said.push(...(await talk(alice, bob, `right ${said.length}`)))
    }
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
    expect(await bob.texts('alice')).toEqual(said)
    for (const person of [alice, bob]) await requireNothingWaits(world, person)
  })
})
