// Somebody who has the keys of a talk and writes in another's name: every envelope is signed by a device inside the seal,
// so that what opens is shown only when the device that it names has signed it, and is a member.
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { deviceIdOf, direct, type envelope, parseContactLink } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { append, sealAs } from '../talk/forging.ts'
import type { Person } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import { noticesOf, requireHealed, talking } from './relay-lies.ts'

let world: World
afterEach(() => world.end())

type Claim = (alice: Person, bob: Person) => Person['local']

const FORGED: envelope.Body = { text: { text: 'forged' } }

/** Bob holds every key of the talk but alice's own. */
const CLAIMS: readonly (readonly [string, Claim])[] = [
  [
    'her device, with his key',
    (alice, bob) => ({ ...alice.local, privateKey: bob.local.privateKey })
  ],
  ['her device, in his account', (alice, bob) => ({ ...bob.local, device: alice.device })],
  ['his device, in her account', (alice, bob) => ({ ...bob.local, account: alice.account })],
  ['a device of hers that nobody added', (alice) => ghostOf(alice.account)],
  ['a device of his that nobody added', (_, bob) => ghostOf(bob.account)]
]

function ghostOf(account: Person['account']): Person['local'] {
  const { publicKey, privateKey } = primitives.keyPair(world.random.bytes(32))
  return { account, device: deviceIdOf(publicKey), privateKey }
}

const PATHS = ['by the relay', 'directly'] as const

describe.each(PATHS)('a message brought %s', (path) => {
  it.each(CLAIMS)('in the name of %s is shown to nobody', async (_, claim) => {
    const made = await talking(7, { direct: path === 'directly' })
    world = made.world
    const { alice, bob } = made
    const [forged] = await sealAs(world, bob, [FORGED], claim(alice, bob))
    await bring(path, { bob, alice, forged: forged as Uint8Array })
    await world.run(5_000)
    expect(await alice.texts('bob')).not.toContain('forged')
    expect(alice.eventsOf('message').map(({ message }) => message.text)).not.toContain('forged')
    await alice.crash()
    await alice.start()
    await world.run(5_000)
    expect(await alice.texts('bob')).not.toContain('forged')
    await requireHealed(world, alice, bob)
  })
})

describe('a message by a device that is no member', () => {
  it('is told as refused', async () => {
    const made = await talking(8)
    world = made.world
    const { alice, bob } = made
    const [forged] = await sealAs(world, bob, [FORGED], ghostOf(bob.account))
    await append(world, bob, alice, forged as Uint8Array)
    await world.run(5_000)
    expect(noticesOf(alice).join('\n')).toContain('its author is not a member')
    await requireHealed(world, alice, bob)
  })
})

it('the same bytes signed by their sender are shown, so that the refusals above are no accident', async () => {
  const made = await talking(9)
  world = made.world
  const { alice, bob } = made
  const [own] = await sealAs(world, bob, [{ text: { text: 'not forged' } }])
  await append(world, bob, alice, own as Uint8Array)
  await world.run(5_000)
  expect(await alice.texts('bob')).toContain('not forged')
})

async function bring(
  path: (typeof PATHS)[number],
  { bob, alice, forged }: { bob: Person; alice: Person; forged: Uint8Array }
): Promise<void> {
  if (path === 'by the relay') return append(world, bob, alice, forged)
  const [at] = parseContactLink((await alice.api.account()).directLink).devices ?? []
  const addresses = at?.addresses ?? []
  const request = bob.rpc?.request({ id: alice.device, addresses }, direct.directDeliver, {
    envelopes: [forged]
  })
  await world.run(1_000)
  expect((await request)?.delivered).toEqual([])
}
