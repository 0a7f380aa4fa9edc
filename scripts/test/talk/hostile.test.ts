// Peers that mean harm: bodies nobody knows, names that are none, strangers who flood, welcomes that are garbage.

import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import {
  accountIdOf,
  box,
  deviceIdOf,
  envelope,
  idBytes,
  keyPackages,
  ProtocolError
} from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { requireSameTalk, settle } from './checks.ts'
import { append, sealAs } from './forging.ts'
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

const relay = () => ({ id: world.relayId, addresses: world.relayAddresses() })

/** Somebody who carries bytes of others: the relay leaves out bodies for whoever appended them. */
async function stranger(): Promise<Person> {
  const known = world.people.find(({ name }) => name === 'mallory')
  if (known !== undefined) return known
  const mallory = world.join('mallory')
  await mallory.start()
  await world.run(2_000)
  return mallory
}

async function requireAlive(alice: Person, bob: Person): Promise<void> {
  expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
  await alice.send('bob', 'still there?')
  await bob.send('alice', 'still here')
  await world.run(5_000)
  expect(await bob.texts('alice')).toContain('still there?')
  expect(await alice.texts('bob')).toContain('still here')
}

describe('bodies that this version does not know', () => {
  it.each<[string, envelope.Body]>([
    ['of no known kind', {}],
    [
      'a commit of garbage',
      { commit: { commit: Uint8Array.of(1, 2, 3), receipt: Uint8Array.of(9) } }
    ]
  ])('%s end nothing, also after a restart', async (_, body) => {
    const [alice, bob] = await befriended(1)
    for (const bytes of await sealAs(world, alice, [body]))
      await append(world, await stranger(), bob, bytes)
    await world.run(5_000)
    await requireAlive(alice, bob)
    await bob.crash()
    await bob.start()
    await requireAlive(alice, bob)
  })

  it('are shown as what they are and kept', async () => {
    const [alice, bob] = await befriended(2)
    for (const bytes of await sealAs(world, alice, [{}]))
      await append(world, await stranger(), bob, bytes)
    await world.run(5_000)
    expect(await bob.texts('alice')).toContain('[a message this version cannot show]')
  })
})

describe('an introduction', () => {
  const NAMES = [
    '',
    ' ',
    '~bob',
    'bob',
    'alice\u0000\u001b[31m',
    '\u202eecila',
    '😀'.repeat(16),
    '../../etc/passwd',
    '\n'.repeat(64)
  ]

  it('with a hostile name changes no name that the user gave', async () => {
    const [alice, bob] = await befriended(3)
    const bodies = NAMES.map((name) => ({
      introduction: { name, deliverySecret: alice.deliverySecret }
    }))
    for (const bytes of await sealAs(world, alice, bodies))
      await append(world, await stranger(), bob, bytes)
    await world.run(5_000)
    expect((await bob.api.listContacts()).map(({ name }) => name)).toEqual(['alice'])
    await requireAlive(alice, bob)
  })

  it('that is longer than any name is not taken', async () => {
    const [alice, bob] = await befriended(4)
    const sealed = sealAs(world, alice, [
      { introduction: { name: 'x'.repeat(65), deliverySecret: alice.deliverySecret } }
    ])
    await expect(sealed).rejects.toThrow('body')
    if (!alice.isRunning) await alice.start()
    await requireAlive(alice, bob)
  })
})

describe('a stranger', () => {
  it('floods with 300 envelopes that nobody can open: the talk of others goes on', {
    timeout: 30_000
  }, async () => {
    const [alice, bob] = await befriended(5)
    const mallory = await stranger()
    for (let count = 0; count < 300; count += 1) await append(world, mallory, bob, junk())
    await world.run(5_000)
    await requireAlive(alice, bob)
    await bob.stop()
    expect(await bob.records('delivery/waiting')).toBeLessThanOrEqual(256)
    await bob.start()
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
  })

  it('floods while a first chat begins: what overtook its invitation is not pushed out', {
    timeout: 30_000
  }, async () => {
    world = await World.of(8, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    const mallory = await stranger()
    let refusals = 1
    alice.onRequest = (protocol) => {
      if (protocol !== box.boxAppend.id || refusals === 0) return
      refusals -= 1
      throw new ProtocolError('quota', 'full', { retryAfterMs: 60_000 })
    }
    for (let count = 0; count < 3; count += 1) await alice.send('bob', `hello ${count}`)
    await world.run(2_000)
    for (let count = 0; count < 300; count += 1) await append(world, mallory, bob, junk())
    await world.run(60_000)
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
  })

  it('answers key packages with garbage for welcomes: nothing ends', async () => {
    const [alice, bob] = await befriended(6)
    const mallory = await stranger()
    for (let count = 0; count < 5; count += 1) {
      const reference = primitives.sha256(await takeKeyPackage(mallory, bob))
      await append(world, mallory, bob, junk(reference.subarray(0, envelope.EPOCH_TAG_BYTES)))
    }
    await world.run(5_000)
    await requireAlive(alice, bob)
  })

  it('that nobody has heard of holds nobody up with its welcome', async () => {
    const [alice, bob] = await befriended(7)
    const mallory = await stranger()
    const keys = primitives.keyPair(world.random.bytes(32))
    const nobody = {
      account: accountIdOf(world.random.bytes(32)),
      device: deviceIdOf(keys.publicKey),
      privateKey: keys.privateKey
    }
    const keyPackage = await takeKeyPackage(mallory, bob)
    const group = await world.crypto.create(nobody, world.random.bytes(32))
    const { welcome } = await world.crypto.add(group.state, [keyPackage], () => true)
    const reference = primitives.sha256(keyPackage)
    await append(
      world,
      mallory,
      bob,
      junk(reference.subarray(0, envelope.EPOCH_TAG_BYTES), welcome)
    )
    await world.run(5_000)
    await requireAlive(alice, bob)
    await bob.crash()
    await bob.start()
    await requireAlive(alice, bob)
  })
})

async function takeKeyPackage(from: Person, of: Person): Promise<Uint8Array> {
  const request = { account: idBytes(of.account) }
  const taking = from.rpc?.request(relay(), keyPackages.keyPackagesTake, request)
  await world.run(20)
  const [taken] = (await taking)?.packages ?? []
  if (taken === undefined) throw new Error('no key package')
  return taken.keyPackage
}

/** In the form of an envelope, and nothing inside, or this for a welcome. */
function junk(
  tag: Uint8Array = world.random.bytes(envelope.EPOCH_TAG_BYTES),
  welcome: Uint8Array = world.random.bytes(200)
): Uint8Array {
  return envelope.Envelope.encode({
    version: 1,
    epochTag: tag,
    salt: world.random.bytes(envelope.SALT_BYTES),
    commitment: world.random.bytes(envelope.COMMITMENT_BYTES),
    sealedHeader: world.random.bytes(96),
    sealedContent: envelope.SealedContent.encode({
      content: welcome,
      padding: world.random.bytes(900)
    })
  })
}
