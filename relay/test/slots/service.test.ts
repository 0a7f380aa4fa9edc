// Replaceable values: the highest version, at the start and when it changes.
import { nodePrimitives } from '@kith/node/kernel/host'
import { envelope as envelopes, box as protocol } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import { type Device, randomEnvelope } from '../people.ts'
import { refusal, startWorld } from '../world.ts'

describe('slots', () => {
  const tag = (value: number) => new Uint8Array(envelopes.SLOT_TAG_BYTES).fill(value)
  const slot = (value: number, version: number, length = 10) => ({
    tag: tag(value),
    version,
    sealed: new Uint8Array(length).fill(version)
  })
  const put = (device: Device, value: protocol.Slot, ...targets: protocol.Target[]) =>
    device.network.rpc.request(device.peer, protocol.boxPutSlot, { slot: value, targets })
  const slotsOf = (item: protocol.SubscribeItem) =>
    item.slots.map((one) => [one.tag[0], one.version])

  it('come at the start of a subscription, then when they change, the highest version only', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    await put(alice, slot(1, 5), bob.targetForStrangers)
    await put(alice, slot(1, 4), bob.targetForStrangers)
    const box = await bob.subscribe()
    expect(slotsOf(await box.next())).toEqual([[1, 5]])
    await put(alice, slot(1, 5), bob.targetForStrangers)
    await put(alice, slot(1, 6), bob.targetForStrangers)
    expect(slotsOf(await box.next())).toEqual([[1, 6]])
  })

  it('of an account that the owner blocked are dropped without a word', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    await bob.configure([alice.accountBytes])
    const blocked = slot(1, 5)
    const subject = nodePrimitives.sha256(protocol.Slot.encode(blocked))
    const token = { secret: bob.secret, account: bob.accountBytes, envelopeId: subject }
    const deliveryToken = protocol.deliveryToken(token, nodePrimitives.hmac)
    await put(alice, blocked, { account: bob.accountBytes, deliveryToken })
    await put(alice, blocked, bob.targetForStrangers)
    const box = await bob.subscribe()
    expect(slotsOf(await box.next())).toEqual([])
    await bob.configure([])
    await put(alice, slot(1, 6), bob.targetForStrangers)
    expect(slotsOf(await box.next())).toEqual([[1, 6]])
  })

  it('share items with entries, however large both are', async () => {
    const { join } = await startWorld()
    const [alice, bob] = [await join(), await join()]
    await bob.configure()
    for (let count = 0; count < 20; count++) {
      const large = slot(count, 1, envelopes.SLOT_BYTES_MAX)
      await put(alice, large, bob.targetForStrangers)
      const envelope = randomEnvelope(65_200)
      await alice.append(envelope, bob.targetFor(envelope))
    }
    const box = await bob.subscribe()
    const seen = { slots: 0, entries: 0 }
    while (seen.slots < 20 || seen.entries < 20) {
      const item = await box.next()
      seen.slots += item.slots.length
      seen.entries += item.entries.length
      box.subscription.acknowledge({ storeEpoch: item.storeEpoch, number: seen.entries })
    }
    expect(seen).toEqual({ slots: 20, entries: 20 })
  })

  it('are there after a restart', async () => {
    const { join, relay, startAgain } = await startWorld()
    const device = await join()
    await put(device, slot(3, 7))
    await relay.stop()
    const again = await startAgain()
    device.meet(again)
    const box = await device.subscribe()
    expect(slotsOf(await box.next())).toEqual([[3, 7]])
  })

  it('are refused when malformed, too large or from nobody', async () => {
    const { join, connect } = await startWorld()
    const device = await join()
    const short = { ...slot(1, 1), tag: new Uint8Array(3) }
    await expect(put(device, short)).rejects.toMatchObject(refusal('malformed'))
    const large = slot(1, 1, envelopes.SLOT_BYTES_MAX + 1)
    await expect(put(device, large)).rejects.toMatchObject(refusal('too-large'))
    await expect(put(await connect(), slot(1, 1))).rejects.toMatchObject(refusal('forbidden'))
  })
})
