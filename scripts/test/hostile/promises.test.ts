// A relay that says it keeps what it does not keep: its own log has to show every envelope that it accepted.
import { box } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import type { Lie } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import { noticesOf, requireHealed, talking } from './relay-lies.ts'

let world: World
afterEach(() => world.end())

/** Answers appends without passing them on. */
const swallowing = (numberOf: (count: number) => number): Lie => {
  let count = 0
  let storeEpoch = new Uint8Array(16)
  return async (protocol, _, ask) => {
    if (protocol !== box.boxAppend.id) return await ask()
    // The first one is kept, so that the right store epoch is known.
    if (count === 0) storeEpoch = ((await ask()) as box.AppendResponse).storeEpoch as never
    count += 1
    return { storeEpoch, number: numberOf(count) }
  }
}

const LIES: readonly (readonly [string, (next: number) => (count: number) => number])[] = [
  ['the next number', (next) => (count) => next + count],
  ['a number that it gave to another', (next) => () => next],
  ['a number far ahead', (next) => (count) => next + 1_000_000 + count],
  ['no number', () => () => 0]
]

describe('a relay that accepts a message without keeping it', () => {
  it.each(LIES)('and answers with %s gets it again, and the user is told', async (_, numbers) => {
    const made = await talking(1)
    world = made.world
    const { alice, bob } = made
    const cursor = (await alice.messages('bob')).length
    alice.lie = swallowing(numbers(cursor * 2))
    for (let count = 0; count < 3; count += 1) {
      await alice.send('bob', `swallowed ${count}`)
      await world.run(1_000)
    }
    // Something of bob's follows in alice's log where hers should be.
    await bob.send('alice', 'anybody there?')
    await world.run(200_000)
    const reasons = (await alice.messages('bob')).map(({ reason }) => reason)
    const told = [...noticesOf(alice), ...reasons.filter((reason) => reason !== undefined)]
    expect(told.length).toBeGreaterThan(0)
    await requireHealed(world, alice, bob)
    expect(await bob.texts('alice')).toEqual(expect.arrayContaining(['swallowed 2']))
  })

  it('is found out by a device that was restarted meanwhile', async () => {
    const made = await talking(2)
    world = made.world
    const { alice, bob } = made
    alice.lie = swallowing((count) => 100 + count)
    await alice.send('bob', 'kept')
    await alice.send('bob', 'swallowed')
    await world.run(5_000)
    await alice.crash()
    alice.lie = undefined
    await alice.start()
    await world.run(150_000)
    expect(noticesOf(alice).join()).toContain('said it kept')
    await requireHealed(world, alice, bob)
    expect(await bob.texts('alice')).toContain('swallowed')
  })

  it('holds up nobody who is reached directly', async () => {
    const made = await talking(3, { direct: true })
    world = made.world
    const { alice, bob } = made
    alice.lie = swallowing((count) => 100 + count)
    for (let count = 0; count < 3; count += 1) await alice.send('bob', `swallowed ${count}`)
    await world.run(5_000)
    expect(await bob.texts('alice')).toContain('swallowed 2')
    await requireHealed(world, alice, bob)
  })
})

it('a relay that keeps what it accepts is never accused', async () => {
  const made = await talking(4)
  world = made.world
  const { alice, bob } = made
  for (let count = 0; count < 50; count += 1) await alice.send('bob', `kept ${count}`)
  await world.run(300_000)
  await alice.crash()
  await alice.start()
  await bob.stop()
  for (let count = 0; count < 5; count += 1) await alice.send('bob', `kept while away ${count}`)
  await world.run(300_000)
  await bob.start()
  await requireHealed(world, alice, bob)
  expect([...noticesOf(alice), ...noticesOf(bob)]).toEqual([])
})
