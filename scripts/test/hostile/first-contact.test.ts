// A relay that lies when two people meet: about devices, key packages and account logs. What can be refused is
// refused before a key is wrapped for anybody, the sender is told why the message waits, and it goes once the
// relay behaves.

import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { deviceIdOf, idBytes, identity, keyPackages, publicKeyOf } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import type { Lie, Person } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import {
  accountLogLie,
  contacts,
  keyPackagesLie,
  reasonOf,
  requireHealed,
  talking
} from './relay-lies.ts'

let world: World
afterEach(() => world.end())

/** Alice's first message to bob waits while the relay lies to her, and she is told why. */
async function requireRefused(lie: (bob: Person) => Lie, seed: number): Promise<string> {
  const made = await contacts(seed)
  world = made.world
  const { alice, bob } = made
  alice.lie = lie(bob)
  await alice.send('bob', 'for bob alone')
  await world.run(10_000)
  expect((await alice.messages('bob')).at(-1)?.state).toBe('queued')
  expect(await bob.texts('alice')).toEqual([])
  const reason = await reasonOf(alice, 'bob')
  await requireHealed(world, alice, bob)
  expect(await bob.texts('alice')).toContain('for bob alone')
  return reason ?? ''
}

/** A device of the relay's own that says it is one of this account. */
function ghostOf(account: Person['account']) {
  const keys = primitives.keyPair(world.random.bytes(32))
  return { account, device: deviceIdOf(keys.publicKey), privateKey: keys.privateKey }
}

async function packageOf(device: ReturnType<typeof ghostOf>): Promise<keyPackages.DevicePackage> {
  const { keyPackage } = await world.crypto.createKeyPackage(device)
  return { device: publicKeyOf(device.device), keyPackage, lastResort: false }
}

describe('a relay that hands out key packages', () => {
  it('of a ghost device besides the real one gets no key wrapped for it', async () => {
    const reason = await requireRefused(
      (bob) => keyPackagesLie(async (all) => [...all, await packageOf(ghostOf(bob.account))]),
      1
    )
    expect(reason).toContain('not one of')
  })

  it('of a ghost device instead of the real one gets no key wrapped for it', async () => {
    const reason = await requireRefused(
      (bob) => keyPackagesLie(async () => [await packageOf(ghostOf(bob.account))]),
      2
    )
    expect(reason).toContain('not one of')
  })

  it("of another account's device gets no key wrapped for it", async () => {
    const reason = await requireRefused(
      () => keyPackagesLie(async () => [await packageOf(world.people[0]?.local as never)]),
      3
    )
    expect(reason).toContain('not one of')
  })

  it('of garbage is refused', async () => {
    const reason = await requireRefused(
      () =>
        keyPackagesLie((all) =>
          all.map((one) => ({ ...one, keyPackage: world.random.bytes(300) }))
        ),
      4
    )
    expect(reason).toContain('not one of')
  })

  it('of nobody, as if they were used up, is waited for', async () => {
    const reason = await requireRefused(() => keyPackagesLie(() => []), 5)
    expect(reason).toContain('published no keys')
  })

  it('again and again the last resort is talked through all the same', async () => {
    const made = await contacts(6)
    world = made.world
    const { alice, bob } = made
    const request = { account: idBytes(bob.account) }
    const relay = { id: world.relayId, addresses: world.relayAddresses() }
    for (let count = 0; count < 150; count += 1) {
      const taking = alice.rpc?.request(relay, keyPackages.keyPackagesTake, request)
      await world.run(20)
      const [taken] = (await taking)?.packages ?? []
      if (taken?.lastResort === true) break
    }
    await alice.send('bob', 'by the last resort')
    await world.run(5_000)
    expect(await bob.texts('alice')).toContain('by the last resort')
    await requireHealed(world, alice, bob)
  })
})

describe('a relay that serves an account log', () => {
  it('of another account is refused', async () => {
    const reason = await requireRefused(
      () =>
        accountLogLie((answer) => ({
          ...answer,
          operations: [forgedFirst()]
        })),
      7
    )
    expect(reason).toContain("not the contact's")
  })

  it('with an altered operation is refused', async () => {
    const reason = await requireRefused(
      () =>
        accountLogLie((answer) => ({
          ...answer,
          operations: answer.operations.map((one) => ({
            ...one,
            operation: one.operation.with(20, (one.operation[20] ?? 0) ^ 1)
          }))
        })),
      8
    )
    expect(reason).toContain("not the contact's")
  })

  it('that is empty is refused', async () => {
    const reason = await requireRefused(
      () => accountLogLie(() => ({ operations: [], length: 0 })),
      9
    )
    expect(reason).toContain('does not know')
  })

  it('shorter than it was seen changes nothing', async () => {
    const made = await talking(10)
    world = made.world
    const { alice, bob } = made
    alice.lie = accountLogLie(() => ({ operations: [], length: 0 }))
    await alice.crash()
    await alice.start()
    await alice.send('bob', 'still yours')
    await world.run(5_000)
    expect(await bob.texts('alice')).toContain('still yours')
    await requireHealed(world, alice, bob)
  })

  it('longer than it is, by an operation of its own, is refused and changes nothing', async () => {
    const made = await talking(11)
    world = made.world
    const { alice, bob } = made
    alice.lie = accountLogLie(() => ({ operations: [forgedFirst()], length: 2 }))
    await alice.crash()
    await alice.start()
    await alice.send('bob', 'still yours')
    await world.run(5_000)
    expect(await bob.texts('alice')).toContain('still yours')
    await requireHealed(world, alice, bob)
  })
})

/** A first operation in good form, of an account that nobody knows. */
function forgedFirst(): identity.SignedOperation {
  const keys = primitives.keyPair(world.random.bytes(32))
  const operation = identity.Operation.encode({
    version: identity.OPERATION_VERSION,
    account: new Uint8Array(0),
    sequence: 0,
    previous: new Uint8Array(0),
    createdAtMs: 1,
    create: {
      nonce: world.random.bytes(identity.NONCE_BYTES),
      device: keys.publicKey,
      recoveryKey: keys.publicKey,
      homes: [{ relay: publicKeyOf(world.relayId), addresses: ['/ip4/127.0.0.1/tcp/4001'] }]
    }
  })
  const signature = primitives.sign(keys.privateKey, identity.operationToSign(operation))
  return { operation, signer: keys.publicKey, signature }
}
