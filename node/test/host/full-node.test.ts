// A node whose places for strangers are all taken, over real libp2p: devices of its contacts get in and stay.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deviceIdOf, direct, identity, parseContactLink, relayIdOf } from '@kith/protocols'
import { afterEach, expect, it } from 'vitest'
import { openHomeStore } from '../../src/host/home.node.ts'
import { networkOf, openMessenger } from '../../src/host/open.node.ts'
import { createAccountOperation } from '../../src/identity/account.ts'
import { createKeyFile } from '../../src/identity/key-file.node.ts'
import { createNodeSecrets, type NodeSecrets } from '../../src/identity/keys.ts'
import { writeProfile } from '../../src/identity/profile.ts'
import { silentLog as log } from '../../src/kernel/log.ts'
import type { Network } from '../../src/kernel/network.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom as random } from '../../src/kernel/random.ts'
import type { PeerAddress } from '../../src/kernel/rpc.ts'
import type { Messenger } from '../../src/messenger.ts'

/** In place of 200 strangers among 300. */
const STRANGERS_MAX = 3
const admission = { strangersMax: STRANGERS_MAX, connectionsMax: STRANGERS_MAX + 2 }
/** Nobody is there: the two meet directly. */
const HOMES = [
  {
    relay: relayIdOf(primitives.keyPair(new Uint8Array(32).fill(99)).publicKey),
    addresses: ['/ip4/127.0.0.1/tcp/1']
  }
]

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** An account on disk that no relay has heard of. */
async function createHomeOf(name: string): Promise<{ home: string; secrets: NodeSecrets }> {
  const home = await mkdtemp(join(tmpdir(), 'kith-home-'))
  stops.push(() => rm(home, { recursive: true, force: true }))
  const secrets = createNodeSecrets(random)
  const { account, operation } = createAccountOperation(
    {
      nonce: random.bytes(identity.NONCE_BYTES),
      device: primitives.keyPair(secrets.deviceSeed),
      recoveryKey: primitives.keyPair(random.bytes(32)).publicKey,
      homes: HOMES,
      createdAtMs: 1_000
    },
    primitives
  )
  await createKeyFile(join(home, 'keys.json'), secrets)
  const store = await openHomeStore(home, { secrets, log })
  const deliverySecret = random.bytes(32)
  const operations = [operation]
  await writeProfile(store, { account, name, operations, homes: HOMES, deliverySecret, invite: '' })
  await store.close()
  return { home, secrets }
}

async function open(home: string): Promise<Messenger> {
  const messenger = await openMessenger({ home, log, admission })
  stops.push(() => messenger.stop())
  return messenger
}

async function addressOf(node: Messenger): Promise<PeerAddress> {
  const [here] = parseContactLink((await node.account()).directLink).devices ?? []
  if (here === undefined) throw new Error('it listens nowhere')
  return { id: here.device, addresses: here.addresses }
}

async function stateOf(node: Messenger, to: string): Promise<string | undefined> {
  return (await node.listMessages({ with: to })).messages[0]?.state
}

/** A device with these keys that is connected to a node, and how often it lost that. */
async function connect(secrets: NodeSecrets, node: PeerAddress) {
  const network = await networkOf(secrets, { log, listen: [] })
  stops.push(() => network.stop())
  const connection = { network, losses: 0 }
  network.onConnection(({ connected }) => {
    if (!connected) connection.losses += 1
  })
  await touch(network, node)
  return connection
}

const touch = (network: Network, node: PeerAddress) =>
  network.rpc.request(node, direct.directDeliver, { envelopes: [] })

it('a contact’s device gets in and stays while strangers fill a node; a stranger’s does not', {
  timeout: 30_000
}, async () => {
  const [alice, bob] = [await createHomeOf('alice'), await createHomeOf('bob')]
  const node = await open(alice.home)
  const peer = await open(bob.home)
  await node.addContact({ link: (await peer.account()).directLink, name: 'bob' })
  await peer.addContact({ link: (await node.account()).directLink, name: 'alice' })
  await node.sendMessage({ to: 'bob', text: 'we are contacts' })
  await expect.poll(() => stateOf(node, 'bob'), { timeout: 10_000 }).toBe('delivered')
  await peer.stop()

  const address = await addressOf(node)
  const strangers: { losses: number }[] = []
  const come = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      strangers.push(await connect(createNodeSecrets(random), address))
    }
  }
  await come(STRANGERS_MAX)
  const known = await connect(bob.secrets, address)
  expect(node.isKnown(deviceIdOf(known.network.publicKey))).toBe(true)
  expect(strangers.map(({ losses }) => losses)).toEqual([0, 0, 0])

  await come(2 * STRANGERS_MAX)
  const lost = () => strangers.filter(({ losses }) => losses > 0).length
  await expect.poll(lost).toBe(strangers.length - STRANGERS_MAX)
  await touch(known.network, { ...address, addresses: [] })
  expect(known.losses).toBe(0)
})
