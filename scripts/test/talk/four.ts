// Two accounts with two devices each, all in one chat.
import { idBytes, identity } from '@kith/protocols'
import type { Person } from './person.ts'
import { World, type WorldOptions } from './world.ts'

/** Virtual time that any request takes at most on these links. */
const REQUEST_MS = 500

export interface Four {
  readonly world: World
  /** Alice's. */
  readonly phone: Person
  readonly laptop: Person
  /** Bob's. */
  readonly bob: Person
  readonly tablet: Person
}

/** Another device of an account: in its log at the relay, with key packages there, in none of its chats yet. */
export async function addDevice(world: World, first: Person, name: string): Promise<Person> {
  const { account, rpc } = first
  const relay = { id: world.relayId, addresses: world.relayAddresses() }
  const asked = rpc?.request(relay, identity.identityFetch, { account: idBytes(account), from: 0 })
  await world.run(REQUEST_MS)
  const added = world.join(name, { of: first, log: (await asked)?.operations ?? [] })
  const request = { operation: added.log.at(-1) as identity.SignedOperation, invite: '' }
  const appended = rpc?.request(relay, identity.identityAppend, request)
  await world.run(REQUEST_MS)
  await appended
  await added.start()
  await world.run(2_000)
  return added
}

/** Has a device look at its account's log, as it does whenever it comes home. */
export async function comeHome(person: Person): Promise<void> {
  await person.stop()
  await person.start()
}

/** Two accounts with two devices each that have not met: nobody has a contact. */
export async function fourStrangers(seed: number, options?: WorldOptions): Promise<Four> {
  const world = await World.of(seed, ['alice', 'bob'], options)
  const [phone, bob] = world.people as [Person, Person]
  const laptop = await addDevice(world, phone, 'laptop')
  const tablet = await addDevice(world, bob, 'tablet')
  for (const device of [phone, bob]) await comeHome(device)
  await world.run(2_000)
  return { world, phone, laptop, bob, tablet }
}

/** Everybody has written once; the chat's first message went to two devices, before the others were in. */
export async function fourDevices(seed: number, options?: WorldOptions): Promise<Four> {
  const world = await World.of(seed, ['alice', 'bob'], options)
  const [phone, bob] = world.people as [Person, Person]
  const laptop = await addDevice(world, phone, 'laptop')
  const tablet = await addDevice(world, bob, 'tablet')
  for (const device of [phone, laptop]) await device.api.addContact({ link: bob.link })
  for (const device of [bob, tablet]) await device.api.addContact({ link: phone.link })
  for (const device of [phone, bob]) await comeHome(device)
  await world.run(2_000)
  await phone.send('bob', 'from the phone')
  await world.run(10_000)
  await laptop.send('bob', 'from the laptop')
  await bob.send('alice', 'from bob')
  await tablet.send('alice', 'from the tablet')
  await world.run(10_000)
  return { world, phone, laptop, bob, tablet }
}
