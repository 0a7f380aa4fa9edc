// What a lying relay answers, and what must be true of two people whatever it answered.
import { type box, envelope, identity, keyPackages } from '@kith/protocols'
import { expect } from 'vitest'
import { requireSameTalk, requireShownOnce, settle } from '../talk/checks.ts'
import { fourStrangers } from '../talk/four.ts'
import type { Lie, Person } from '../talk/person.ts'
import type { World, WorldOptions } from '../talk/world.ts'

/** Two contacts who have not written yet, each with a second device that nobody lies to. */
export async function contacts(
  seed: number,
  options?: WorldOptions
): Promise<{ world: World; alice: Person; bob: Person }> {
  const { world, phone: alice, laptop, bob, tablet } = await fourStrangers(seed, options)
  for (const device of [alice, laptop]) await device.api.addContact({ link: bob.link })
  for (const device of [bob, tablet]) await device.api.addContact({ link: alice.link })
  return { world, alice, bob }
}

/** Two contacts who have written to each other. */
export async function talking(
  seed: number,
  options?: WorldOptions
): Promise<{ world: World; alice: Person; bob: Person }> {
  const made = await contacts(seed, options)
  const { world, alice, bob } = made
  await alice.send('bob', 'hello')
  await world.run(2_000)
  await bob.send('alice', 'hello too')
  await world.run(5_000)
  return made
}

/** Answers to one protocol, changed; everything else passes. */
function answering<Answer>(id: string, change: (answer: Answer) => Answer | Promise<Answer>): Lie {
  return async (protocol, _, ask) =>
    protocol === id ? change((await ask()) as Answer) : await ask()
}

/** Other key packages than those asked for. */
export const keyPackagesLie = (
  change: (
    packages: readonly keyPackages.DevicePackage[]
  ) => readonly keyPackages.DevicePackage[] | Promise<readonly keyPackages.DevicePackage[]>
): Lie =>
  answering<keyPackages.TakeResponse>(keyPackages.keyPackagesTake.id, async ({ packages }) => ({
    packages: [...(await change(packages))]
  }))

/** Other operations than those of the log asked for. */
export const accountLogLie = (
  change: (answer: identity.FetchLogResponse) => identity.FetchLogResponse
): Lie => answering(identity.identityFetch.id, change)

/** All devices of both were told everything once, in one order, and nothing else; nothing is missing on any. */
export async function requireHealed(world: World, alice: Person, bob: Person): Promise<void> {
  alice.lie = undefined
  bob.lie = undefined
  alice.tamper = undefined
  bob.tamper = undefined
  await world.run(130_000)
  await alice.send('bob', 'after')
  await bob.send('alice', 'after too')
  await settle(world, alice, bob)
  await requireSameTalk(world, alice, bob)
  for (const [person, peer] of [
    [alice, 'bob'],
    [bob, 'alice']
  ] as const) {
    for (const other of world.people.filter(({ account }) => account === person.account)) {
      expect(await other.texts(peer), other.name).toEqual(await person.texts(peer))
      requireShownOnce(world, other)
    }
  }
  expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
}

/** Everything that a person was told in words besides messages. */
export function noticesOf(person: Person): readonly string[] {
  return person.eventsOf('notice').map(({ text }) => text)
}

/** Why the newest message of a person still waits. */
export async function reasonOf(person: Person, to: string): Promise<string | undefined> {
  return (await person.messages(to)).at(-1)?.reason
}

/** Bytes in the form of an envelope. */
export function envelopeWith(
  bytes: Uint8Array,
  change: (decoded: envelope.Envelope) => Partial<envelope.Envelope>
): Uint8Array {
  const decoded = envelope.Envelope.decode(bytes)
  return envelope.Envelope.encode({ ...decoded, ...change(decoded) })
}

/** The same bytes but for one. */
export const altered = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

/** An item whose entries are others. */
export const withEntries = (
  item: box.SubscribeItem,
  change: (entry: box.Entry) => box.Entry
): box.SubscribeItem => ({ ...item, entries: item.entries.map(change) })
