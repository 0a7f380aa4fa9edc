// What is seen in the moments between: while a disk is slow, while stopping, while much is missing.

import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { box, idBytes, identity, keyPackages, ProtocolError } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { settle } from './checks.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

async function befriended(seed: number): Promise<[Person, Person]> {
  world = await World.of(seed, ['alice', 'bob'])
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  await bob.api.addContact({ link: alice.link })
  await alice.send('bob', 'hello')
  await bob.send('alice', 'hello too')
  await world.run(5_000)
  return [alice, bob]
}

describe('a message', () => {
  it('is listed at every moment from composing on, in one place', async () => {
    const [alice] = await befriended(1)
    await alice.send('bob', 'one')
    // Sealed in memory, and not yet on the disk.
    alice.disk.hold()
    await world.run(10)
    expect(await alice.texts('bob')).toContain('one')
    const listed = await alice.texts('bob')
    expect(listed.filter((text) => text === 'one')).toHaveLength(1)
    expect(listed.at(-1)).toBe('one')
    alice.disk.release()
  })

  it('is not listed before it is on disk, since it could still be lost', async () => {
    const [alice] = await befriended(1)
    alice.disk.hold()
    const sending = alice.api.sendMessage({ to: 'bob', text: 'one' })
    await world.run(10)
    expect(await alice.texts('bob')).not.toContain('one')
    alice.disk.release()
    await sending
    expect(await alice.texts('bob')).toContain('one')
  })

  it('that is being taken when the messenger stops is kept or refused, never left hanging', async () => {
    const [alice] = await befriended(2)
    alice.disk.hold()
    const settled: string[] = []
    const { api } = alice
    const sending = api.sendMessage({ to: 'bob', text: 'last words' }).then(
      () => settled.push('kept'),
      () => settled.push('refused')
    )
    const stopping = alice.stop()
    await world.run(100)
    alice.disk.release()
    await stopping
    await sending
    await expect(api.sendMessage({ to: 'bob', text: 'too late' })).rejects.toThrow()
    await alice.start()
    const texts = await alice.texts('bob')
    expect(texts.includes('last words')).toBe(settled[0] === 'kept')
    expect(world.lines.filter((line) => line.includes('delivery-stopped'))).toEqual([])
  })

  it('is acknowledged although many before it will never come', async () => {
    const [alice, bob] = await befriended(3)
    const isHeldBack = new Set<number>()
    bob.tamper = (item) => [
      {
        ...item,
        entries: item.entries.map((entry) => {
          if (entry.envelope.byteLength > 0 && entry.number % 2 === 0) isHeldBack.add(entry.number)
          return isHeldBack.has(entry.number) ? { ...entry, envelope: new Uint8Array(0) } : entry
        })
      }
    ]
    for (let count = 0; count < 100; count += 1) await alice.send('bob', `text ${count}`)
    await world.run(200_000)
    const held = await bob.texts('alice')
    expect(held.length).toBeLessThan(60)
    const last = (await alice.messages('bob')).findLast(({ text }) => held.includes(text))
    expect(last?.state).toBe('delivered')
  })
})

describe('a home that says "again, at once"', () => {
  it.each([
    ['to a message', box.boxAppend.id],
    ['to a first chat', keyPackages.keyPackagesTake.id]
  ])('%s is asked a few times a second and no more', async (_, method) => {
    world = await World.of(7, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    let asked = 0
    alice.onRequest = (protocol) => {
      if (protocol !== method) return
      asked += 1
      // More would never end: the clock stands still meanwhile.
      if (asked < 1_000) throw new ProtocolError('rate-limited', 'busy', { retryAfterMs: 0 })
    }
    await alice.send('bob', 'hello')
    await world.run(2_000)
    expect(asked).toBeGreaterThan(1)
    expect(asked).toBeLessThan(60)
    alice.onRequest = () => {}
    await settle(world, alice, bob)
  })
})

describe('a first chat', () => {
  it.each(['while it runs', 'after a crash'])(
    'whose founder cannot be looked up now is joined later, %s',
    async (when) => {
      world = await World.of(6, ['alice', 'bob'])
      const [alice, bob] = world.people as [Person, Person]
      await alice.api.addContact({ link: bob.link })
      await bob.api.addContact({ link: alice.link })
      let isDown = true
      bob.onRequest = (protocol) => {
        if (protocol === identity.identityFetch.id && isDown)
          throw new ProtocolError('timeout', 'slow')
      }
      await alice.send('bob', 'hello')
      await world.run(10_000)
      expect(await bob.texts('alice')).toEqual([])
      isDown = false
      if (when === 'after a crash') {
        await bob.crash()
        await bob.start()
      }
      await settle(world, alice, bob)
      expect(await bob.texts('alice')).toEqual(['hello'])
    }
  )
})

describe('a receipt', () => {
  it('comes from a contact: its token holds', async () => {
    const [, bob] = await befriended(4)
    const alice = world.people[0] as Person
    const puts: box.PutSlotRequest[] = []
    bob.onRequest = (protocol, message) => {
      if (protocol === box.boxPutSlot.id) puts.push(message as box.PutSlotRequest)
    }
    await alice.send('bob', 'do you hear me')
    await world.run(5_000)
    expect(puts.length).toBeGreaterThan(0)
    for (const { slot, targets } of puts) {
      if (slot === undefined) throw new Error('no slot')
      const account = idBytes(alice.account)
      const envelopeId = primitives.sha256(box.Slot.encode(slot))
      const token = box.deliveryToken(
        { secret: alice.deliverySecret, account, envelopeId },
        primitives.hmac
      )
      expect(targets).toEqual([{ account, deliveryToken: token }])
    }
  })

  it('is told again when no home took it', async () => {
    const [alice, bob] = await befriended(5)
    let isRefusing = true
    bob.onRequest = (protocol) => {
      if (protocol === box.boxPutSlot.id && isRefusing) throw new Error('busy')
    }
    await alice.send('bob', 'do you hear me')
    await world.run(5_000)
    expect((await alice.messages('bob')).at(-1)?.state).toBe('accepted')
    isRefusing = false
    await settle(world, alice, bob)
  })
})
