// A relay whose disk is gone or of yesterday: what was not delivered is offered again, and nothing is doubled.
import { MemoryDisk } from '@kith/node/kernel'
import { idBytes, keyPackages } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { requireNothingWaits, requireSameTalk, settle } from './checks.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

let world: World
afterEach(() => world.end())

async function befriended(seed: number): Promise<[Person, Person]> {
  world = await World.of(seed, ['alice', 'bob'])
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  await bob.api.addContact({ link: alice.link })
  return [alice, bob]
}

async function talkFor(rounds: number, a: Person, b: Person): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await a.send(b.name, `${a.name} ${a.sent.length}`)
    await b.send(a.name, `${b.name} ${b.sent.length}`)
    await world.run(1_500)
  }
}

/** The same key, nothing else. */
async function replaceDisk(disk: MemoryDisk): Promise<void> {
  await world.stopRelay()
  world.relayDisk = disk
  await world.startRelay()
}

async function finish(a: Person, b: Person): Promise<void> {
  await settle(world, a, b)
  await requireSameTalk(world, a, b)
  await world.run(120_000)
  for (const person of [a, b]) await requireNothingWaits(world, person)
}

describe('a relay that lost everything but its key', () => {
  it('gets accounts, keys and what was not delivered from the devices', async () => {
    const [alice, bob] = await befriended(1)
    await talkFor(3, alice, bob)
    await bob.stop()
    for (let round = 0; round < 5; round += 1) await alice.send('bob', `while away ${round}`)
    await world.run(5_000)
    await replaceDisk(new MemoryDisk())
    await world.run(40_000)
    await bob.start()
    await world.run(5_000)
    await talkFor(3, alice, bob)
    await finish(alice, bob)
  })

  it('gets the invitation to a first chat again, which nobody had read', async () => {
    const [alice, bob] = await befriended(2)
    await bob.stop()
    await alice.send('bob', 'hello')
    await world.run(5_000)
    expect((await alice.messages('bob'))[0]?.state).toBe('accepted')
    await replaceDisk(new MemoryDisk())
    await world.run(40_000)
    await bob.start()
    await finish(alice, bob)
  })

  it('is noticed by a device that has not read anything from it yet', async () => {
    const [alice, bob] = await befriended(3)
    await bob.stop()
    // Nothing arrives at alice, so that she learns of the acceptance and of nothing else.
    alice.tamper = (item) => (item.entries.length === 0 ? [item] : [])
    await alice.send('bob', 'hello')
    await world.run(5_000)
    expect((await alice.messages('bob'))[0]?.state).toBe('accepted')
    await alice.crash()
    await replaceDisk(new MemoryDisk())
    alice.tamper = undefined
    await alice.start()
    await bob.start()
    await finish(alice, bob)
  })

  it('may go while what it had sent is still being written down', async () => {
    const [alice, bob] = await befriended(4)
    await talkFor(3, alice, bob)
    bob.disk.hold()
    for (let round = 0; round < 3; round += 1) await alice.send('bob', `held ${round}`)
    await world.run(2_000)
    await replaceDisk(new MemoryDisk())
    await world.run(2_000)
    bob.disk.release()
    await world.run(40_000)
    await talkFor(3, alice, bob)
    await finish(alice, bob)
  })
})

describe('a relay with a backup of yesterday', () => {
  it('is read again from the beginning, and gets what it has forgotten', async () => {
    const [alice, bob] = await befriended(5)
    await talkFor(4, alice, bob)
    const backup = await world.backUpRelay()
    await world.run(5_000)
    await talkFor(4, alice, bob)
    await bob.stop()
    for (let round = 0; round < 3; round += 1) await alice.send('bob', `forgotten ${round}`)
    await world.run(5_000)
    await replaceDisk(backup)
    await world.run(5_000)
    await bob.start()
    await world.run(120_000)
    await talkFor(2, alice, bob)
    await finish(alice, bob)
  })

  it('that has grown past what the devices knew is noticed by its chain', async () => {
    const [alice, bob] = await befriended(6)
    await talkFor(2, alice, bob)
    const backup = await world.backUpRelay()
    await world.run(2_000)
    await talkFor(1, alice, bob)
    await bob.stop()
    await replaceDisk(backup)
    for (let round = 0; round < 9; round += 1) await alice.send('bob', `grown ${round}`)
    await world.run(120_000)
    await bob.start()
    await world.run(120_000)
    await finish(alice, bob)
  })

  it('offers nobody the keys that were used since, and a first chat begins', async () => {
    const [alice, bob] = await befriended(7)
    const backup = await world.backUpRelay()
    await world.run(5_000)
    // Takes a key package of bob's, whose private half is used up once his device has joined.
    await talkFor(1, alice, bob)
    await replaceDisk(backup)
    await world.run(60_000)
    const carol = world.join('carol')
    await carol.start()
    await world.run(2_000)
    await carol.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: carol.link })
    await carol.send('bob', 'hello from carol')
    await settle(world, carol, bob)
    expect(await bob.texts('carol')).toEqual(['hello from carol'])
  })
})

describe('a relay that was wiped', () => {
  it('gets the last-resort key package again, so that nobody is unreachable', async () => {
    const [alice, bob] = await befriended(8)
    await talkFor(1, alice, bob)
    await replaceDisk(new MemoryDisk())
    await world.run(60_000)
    const carol = world.join('carol')
    await carol.start()
    await world.run(2_000)
    const relay = { id: world.relayId, addresses: world.relayAddresses() }
    const taken = []
    // One more than one taker gets of the single-use ones.
    for (let count = 0; count < 11; count += 1) {
      const asked = carol.rpc?.request(relay, keyPackages.keyPackagesTake, {
        account: idBytes(bob.account)
      })
      await world.run(100)
      taken.push(...((await asked)?.packages ?? []))
    }
    expect(taken.map(({ lastResort }) => lastResort)).toEqual([...Array(10).fill(false), true])
    await finish(alice, bob)
  })
})
