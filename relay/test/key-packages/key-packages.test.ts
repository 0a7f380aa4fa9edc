// Key packages: once each, oldest first, a last resort, and nobody drains a supply.
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { keyPackages } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import type { Device } from '../people.ts'
import { refusal, startWorld } from '../world.ts'

describe('key packages', () => {
  const bytes = (value: number, length = 40) => new Uint8Array(length).fill(value)
  const publish = (
    device: Device,
    packages: Uint8Array[],
    lastResort = new Uint8Array(0),
    withdraw: Uint8Array[] = []
  ) =>
    device.network.rpc.request(device.peer, keyPackages.keyPackagesPublish, {
      packages,
      lastResort,
      withdraw
    })
  const hash = (value: number) => primitives.sha256(bytes(value))
  const take = async (device: Device, account: Uint8Array) => {
    const request = { account }
    const { packages } = await device.network.rpc.request(
      device.peer,
      keyPackages.keyPackagesTake,
      request
    )
    return packages.map(({ keyPackage, lastResort }) => [keyPackage[0], lastResort])
  }

  it('are handed out once, oldest first, then the last-resort one again and again', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    expect(await publish(alice, [bytes(1), bytes(2)], bytes(9))).toEqual({
      held: [hash(1), hash(2)],
      lastResort: hash(9)
    })
    const taken = []
    for (let count = 0; count < 4; count++) taken.push(...(await take(bob, alice.accountBytes)))
    expect(taken).toEqual([
      [1, false],
      [2, false],
      [9, true],
      [9, true]
    ])
    expect(await publish(alice, [])).toEqual({ held: [], lastResort: hash(9) })
  })

  it('are not used up by an account that the owner blocked, which is not told', async () => {
    const { join } = await startWorld()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await publish(alice, [bytes(1), bytes(2)], bytes(9))
    await alice.configure([bob.accountBytes])
    expect(await take(bob, alice.accountBytes)).toEqual([[9, true]])
    expect(await take(carol, alice.accountBytes)).toEqual([[1, false]])
    await alice.configure([])
    expect(await take(bob, alice.accountBytes)).toEqual([[2, false]])
  })

  it('are forgotten when their device withdraws them, and nothing else is', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    await publish(alice, [bytes(1), bytes(2)])
    await publish(bob, [bytes(1)])
    const withdraw = [hash(1), hash(77)]
    expect(await publish(alice, [bytes(3)], undefined, withdraw)).toEqual({
      held: [hash(2), hash(3)],
      lastResort: new Uint8Array(0)
    })
    expect(await take(bob, alice.accountBytes)).toEqual([[2, false]])
    expect(await take(alice, bob.accountBytes)).toEqual([[1, false]])
    const badly = publish(alice, [], undefined, [new Uint8Array(31)])
    await expect(badly).rejects.toMatchObject(refusal('malformed'))
  })

  it('go to one of two who take at the same time', async () => {
    const { join } = await startWorld()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await publish(alice, [bytes(1), bytes(2)])
    const both = await Promise.all([take(bob, alice.accountBytes), take(carol, alice.accountBytes)])
    expect(both.flat().sort()).toEqual([
      [1, false],
      [2, false]
    ])
    expect(await take(bob, alice.accountBytes)).toEqual([])
  })

  it('are gone from the disk before they are handed out', async () => {
    const { join, disk, relay, startAgain } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    await publish(alice, [bytes(1)])
    expect(await take(bob, alice.accountBytes)).toEqual([[1, false]])
    disk.crash()
    await relay.stop().catch(() => undefined)
    const again = await startAgain()
    bob.meet(again)
    expect(await take(bob, alice.accountBytes)).toEqual([])
  })

  it('of one account are not drained by one device', async () => {
    const { join } = await startWorld()
    const [alice, bob, carol] = [await join(), await join(), await join()]
    await publish(
      alice,
      Array.from({ length: 20 }, (_, index) => bytes(index + 1)),
      bytes(99)
    )
    const taken = []
    for (let count = 0; count < 12; count++) taken.push(...(await take(bob, alice.accountBytes)))
    expect(taken.filter(([, isLastResort]) => isLastResort === false)).toHaveLength(10)
    expect(await take(carol, alice.accountBytes)).toEqual([[11, false]])
  })

  it('are refused when too many, too large, empty or from nobody', async () => {
    const { join, connect } = await startWorld()
    const device = await join()
    const many = Array.from({ length: 64 }, () => bytes(1))
    await publish(device, many)
    await expect(publish(device, [bytes(1)])).rejects.toMatchObject(refusal('quota'))
    const tooLarge = publish(device, [bytes(1, keyPackages.KEY_PACKAGE_BYTES_MAX + 1)])
    await expect(tooLarge).rejects.toMatchObject(refusal('too-large'))
    await expect(publish(device, [new Uint8Array(0)])).rejects.toMatchObject(refusal('malformed'))
    await expect(publish(await connect(), [])).rejects.toMatchObject(refusal('forbidden'))
    await expect(take(device, new Uint8Array(32))).rejects.toMatchObject(refusal('not-found'))
  })
})
