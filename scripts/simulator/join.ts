// A device that joins while its account is talking: it starts with the account's log and the keys of the conversations
// so far, as a linked device does, and is added to their groups by the others.
import { currentEpoch, exportConversations, importWrites, loadState } from '@kith/node/testing'
import type { DeviceId } from '@kith/protocols'
import { SimDevice } from './device.ts'
import { symbolicPrimitives as primitives } from './primitives.ts'
import type { World } from './world.ts'

const TELL_MS = 5_000

/** Hands over what is durable on `from`, and starts the new device. */
export async function joinLate(world: World, from: SimDevice, name: string): Promise<void> {
  const { account } = from
  const { deliverySecret } = account.profile()
  const store = await from.openStore()
  const self = { account: account.id, device: from.id }
  const profile = { name: account.name, deliverySecret }
  const state = await loadState({ store, primitives }, { self, profile })
  const device = new SimDevice(world, { account, name })
  account.add(device.keys)
  const own = await device.openStore()
  await own.commit(importWrites(exportConversations(state)))
  world.count('device joined late')
  world.note(`${device.name} joins with ${state.conversations.size} conversations`)
  world.devices.push(device)
  const peer = world.accounts.find((one) => one !== account)
  if (peer !== undefined) device.meet(peer)
  await device.start()
  tellOfIt(world, from, device)
}

/** The old device reads its account's log when a session begins, so it begins one now and then until it knows. */
function tellOfIt(world: World, from: SimDevice, added: SimDevice): void {
  world.scheduler.schedule(TELL_MS, () => {
    const conversations = [...(from.state?.conversations.values() ?? [])]
    const isMember = conversations.every(
      (one) =>
        one.epochs.length > 0 && currentEpoch(one).members.some(({ device }) => device === added.id)
    )
    if (isMember) return world.count('late device added')
    for (const { id } of world.relays) world.network.reset(from.id, id as string as DeviceId)
    tellOfIt(world, from, added)
  })
}
