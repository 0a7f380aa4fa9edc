// An outbox that is full while the relay is gone: more is refused in words, what waits survives a crash and arrives.
import { UserError } from '@kith/node'
import { envelope, SECOND_MS } from '@kith/protocols'
import { afterEach, expect, it } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

const PLENTY = 1_000_000

it('loses nothing of what it took, and takes more once some is delivered', {
  timeout: 120_000
}, async () => {
  world = await World.of(1, ['alice', 'bob'], {
    chunkBytes: 65_536,
    limits: { accountAppendsPerSecond: PLENTY, accountPlacementsPerSecond: PLENTY }
  })
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  await bob.api.addContact({ link: alice.link })
  await alice.send('bob', 'hello')
  await bob.send('alice', 'hello too')
  await world.run(5_000)
  await world.stopRelay()
  let [taken, refusal]: [number, unknown] = [0, undefined]
  const send = async (text: string) => {
    try {
      await alice.api.sendMessage({ to: 'bob', text })
      taken += 1
    } catch (error) {
      refusal = error
    }
  }
  const long = 'x'.repeat(envelope.TEXT_BYTES_MAX - 8)
  while (refusal === undefined) await send(`${taken} `.padStart(8) + long)
  console.log(`the outbox took ${taken} texts of ${envelope.TEXT_BYTES_MAX} bytes`)
  expect(refusal).toBeInstanceOf(UserError)
  expect(refusal).toMatchObject({
    code: 'outbox-full',
    hint: expect.stringContaining('cannot be reached')
  })
  expect((await alice.api.status()).queued).toBe(taken)

  await alice.crash()
  await alice.start()
  expect((await alice.api.status()).queued).toBe(taken)
  await expect(alice.api.sendMessage({ to: 'bob', text: long })).rejects.toMatchObject({
    code: 'outbox-full'
  })
  await world.startRelay()
  const queued = async () => (await alice.api.status()).queued
  await world.until('delivered', async () => (await queued()) === 0, 900 * SECOND_MS)
  const arrived = bob
    .eventsOf('message')
    .filter(({ message }) => !message.outgoing && message.text.endsWith(long))
  expect(arrived.map(({ message }) => Number(message.text.slice(0, 8)))).toEqual(
    Array.from({ length: taken }, (_, index) => index)
  )
  refusal = undefined
  await send('there is room again')
  expect(refusal).toBeUndefined()
})
