// Members that nobody added: groups founded, or filled, with devices that no account's log names. Whoever is invited into
// one refuses it, whoever founds one wraps no key for them (first-contact.test.ts), and the chat goes on in its own.
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { wrapWelcome } from '@kith/node/testing'
import { deviceIdOf, idBytes, keyPackages } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { append } from '../talk/forging.ts'
import type { Person } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import { noticesOf, requireHealed, talking } from './relay-lies.ts'

let world: World
afterEach(() => world.end())

type Local = Person['local']

/** A device of the relay's own that says it is one of this account. */
function invented(account: Local['account']): Local {
  const keys = primitives.keyPair(world.random.bytes(32))
  return { account, device: deviceIdOf(keys.publicKey), privateKey: keys.privateKey }
}

async function carrier(): Promise<Person> {
  const mallory = world.join('mallory')
  await mallory.start()
  await world.run(2_000)
  return mallory
}

/** A key package of that device of the person which it is handed out for. */
async function takeKeyPackage(from: Person, of: Person): Promise<Uint8Array> {
  const relay = { id: world.relayId, addresses: world.relayAddresses() }
  const request = { account: idBytes(of.account) }
  const taking = from.rpc?.request(relay, keyPackages.keyPackagesTake, request)
  await world.run(20)
  const packages = (await taking)?.packages ?? []
  const own = packages.find(({ device }) => deviceIdOf(device) === of.device)
  if (own === undefined) throw new Error('no key package')
  return own.keyPackage
}

type Group = (of: { alice: Person; bob: Person; mallory: Person }) => {
  readonly founder: Local
  /** Members besides the one who is invited. */
  readonly others: readonly Local[]
}

const GROUPS: readonly (readonly [string, Group])[] = [
  [
    'founded by an invented device of her contact',
    ({ alice }) => ({ founder: invented(alice.account), others: [] })
  ],
  [
    'founded by an invented device of her own account',
    ({ bob }) => ({ founder: invented(bob.account), others: [] })
  ],
  [
    'founded by a stranger, with an invented device of her contact',
    ({ alice, mallory }) => ({ founder: mallory.local, others: [invented(alice.account)] })
  ],
  [
    'founded by a stranger, with an invented device of her own account',
    ({ bob, mallory }) => ({ founder: mallory.local, others: [invented(bob.account)] })
  ],
  [
    'founded by a stranger, with an invented device of his own account',
    ({ mallory }) => ({ founder: mallory.local, others: [invented(mallory.account)] })
  ]
]

describe('an invitation to a group', () => {
  it.each(GROUPS)('%s is refused, and nothing of it is shown', async (_, groupOf) => {
    const made = await talking(21)
    world = made.world
    const { alice, bob } = made
    const mallory = await carrier()
    const { founder, others } = groupOf({ alice, bob, mallory })
    const packages = await Promise.all(
      others.map(async (one) => (await world.crypto.createKeyPackage(one)).keyPackage)
    )
    const invitation = await takeKeyPackage(mallory, bob)
    const empty = await world.crypto.create(founder, world.random.bytes(32))
    const added = await world.crypto.add(empty.state, [invitation, ...packages], () => true)
    const { welcome } = added
    if (welcome === undefined) throw new Error('no welcome')
    for (const reference of world.crypto.welcomeReferences(welcome)) {
      const { envelope } = wrapWelcome({ welcome, reference }, { primitives, random: world.random })
      await append(world, mallory, bob, envelope)
    }
    await world.run(40_000)
    expect(await bob.api.listRequests()).toEqual([])
    expect((await bob.api.listContacts()).map(({ name }) => name)).toEqual(['alice'])
    expect(noticesOf(bob).join('\n')).toContain('refused')
    await mallory.stop()
    await requireHealed(world, alice, bob)
  })

  it('of a stranger whose devices are all in her log is a request, so that the refusals above are no accident', async () => {
    const made = await talking(22)
    world = made.world
    const { alice, bob } = made
    const mallory = await carrier()
    await mallory.api.addContact({ link: bob.link })
    await mallory.send('bob', 'may I?')
    await world.run(10_000)
    expect(await bob.api.listRequests()).toHaveLength(1)
    await mallory.stop()
    await requireHealed(world, alice, bob)
  })
})
