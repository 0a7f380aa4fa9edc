// Opens a messenger on this machine: home folder, libp2p over TCP and WebSockets, MLS.
import {
  type DeviceId,
  formatContactLink,
  identity,
  ProtocolError,
  parseJoinLink
} from '@kith/protocols'
import { type AccountView, UserError } from '../api.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import { createMlsCrypto } from '../groups/mls.ts'
import { createAccountOperation } from '../identity/account.ts'
import { createKeyFile } from '../identity/key-file.node.ts'
import { createDeviceKeys, createNodeSecrets, type NodeSecrets } from '../identity/keys.ts'
import { type Profile, readProfile, writeProfile } from '../identity/profile.ts'
import { createRecoveryKey } from '../identity/recovery.ts'
import { createNetwork, nodePrimitives, processFailpoint } from '../kernel/host/index.ts'
import {
  createMetrics,
  type Log,
  type Network,
  type NetworkInit,
  type SealedStore,
  systemClock,
  systemRandom
} from '../kernel/index.ts'
import { createMessenger, type Messenger } from '../messenger.ts'
import {
  createHome,
  discardAccount,
  hasAccount,
  keyFileOf,
  openHomeStore,
  readSecrets,
  requireStore
} from './home.node.ts'
import { guardLinks } from './link-guard.node.ts'
import { register } from './register.ts'

export interface OpenOptions {
  /** Folder of the account. */
  readonly home: string
  readonly passphrase?: string | undefined
  readonly log: Log
  /** In place of a node's limits of connections. */
  readonly admission?: NetworkInit['admission']
}

export interface CreateOptions extends OpenOptions {
  /** Join link of the relay that becomes the account's home. */
  readonly relay: string
  /** Shown to contacts. */
  readonly name: string
  readonly signal?: AbortSignal | undefined
}

/** Opens the account of a home folder. Throws UserError. Whoever opens it must `stop` it. */
export async function openMessenger(options: OpenOptions): Promise<Messenger> {
  const { home, passphrase, log } = options
  const secrets = await readSecrets(home, passphrase)
  await requireStore(home)
  const store = await openHomeStore(home, { secrets, log, failpoint: processFailpoint })
  try {
    return await openOn(store, secrets, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openOn(
  store: SealedStore,
  secrets: NodeSecrets,
  { home, log, admission }: OpenOptions
): Promise<Messenger> {
  const profile = await readProfile(store)
  if (profile === undefined) {
    throw new UserError('store-missing', `The store in ${home} holds no account.`, {
      hint: 'It is not the one these keys were used with: put a copy back. The keys are still there: keep them.'
    })
  }
  // The network comes first, and until its messenger is there everybody is a stranger to it.
  let messenger: Messenger | undefined
  const isKnown = (device: DeviceId) => messenger?.isKnown(device) ?? false
  const listen = listenOf(profile)
  const network = await networkOf(secrets, { log, listen, isKnown, admission })
  try {
    const components = await componentsOf({ store, network, log })
    messenger = await createMessenger(components, {
      device: deviceOf(secrets, profile),
      profile
    })
    return guardLinks(stoppable(messenger, { network, store }), home)
  } catch (error) {
    await network.stop()
    throw error
  }
}

/** The messenger with everything it stands on: stopped in reverse order. */
function stoppable(
  messenger: Messenger,
  { network, store }: { network: Network; store: SealedStore }
): Messenger {
  const stop = messenger.stop.bind(messenger)
  messenger.stop = async () => {
    await stop()
    await network.stop()
    await store.close()
  }
  return messenger
}

/**
 * Makes an account with one device, registers it with its home relay, and leaves key packages there. The recovery
 * words are nowhere else: show them once. Throws UserError; then nothing is left behind.
 */
export async function createAccount(
  options: CreateOptions
): Promise<{ account: AccountView; recoveryWords: string }> {
  const { home, passphrase, log } = options
  const link = parseJoin(options.relay)
  requireName(options.name)
  if (await hasAccount(home)) {
    throw new UserError('account-exists', `There is an account in ${home} already.`, {
      hint: 'Use another folder: kith --home <folder> account create …'
    })
  }
  const secrets = createNodeSecrets(systemRandom)
  const recovery = createRecoveryKey(systemRandom, nodePrimitives)
  const profile = profileOf(secrets, {
    name: options.name,
    link,
    recoveryKey: recovery.keyPair.publicKey
  })
  await createHome(home)
  try {
    await createKeyFile(keyFileOf(home), secrets, passphrase)
    const store = await openHomeStore(home, { secrets, log })
    try {
      await writeProfile(store, profile)
      await introduceTo({ store, secrets, profile, log, signal: options.signal })
    } finally {
      await store.close()
    }
  } catch (error) {
    await discardAccount(home)
    throw error
  }
  return { account: viewOf(secrets, profile), recoveryWords: recovery.words }
}

async function introduceTo(options: {
  store: SealedStore
  secrets: NodeSecrets
  profile: Profile
  log: Log
  signal: AbortSignal | undefined
}): Promise<void> {
  const { store, secrets, profile, log, signal } = options
  const network = await networkOf(secrets, { log, listen: [] })
  try {
    const components = await componentsOf({ store, network, log })
    await register(components, { device: deviceOf(secrets, profile), profile, signal })
  } finally {
    await network.stop()
  }
}

/**
 * Where this device listens for others: on every interface, or on loopback alone when its homes are there, since
 * then everybody else is too.
 */
function listenOf({ homes }: Profile): readonly string[] {
  const isLocal = homes.every(({ addresses }) =>
    addresses.every((address) => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address))
  )
  return [`/ip4/${isLocal ? '127.0.0.1' : '0.0.0.0'}/tcp/0`]
}

/** The network of a device on this machine. */
export function networkOf(
  secrets: NodeSecrets,
  init: Pick<NetworkInit, 'log' | 'listen' | 'isKnown' | 'admission'>
): Promise<Network> {
  return createNetwork({
    ...init,
    privateKey: secrets.deviceSeed,
    discovery: init.listen.some((address) => !address.startsWith('/ip4/127.')),
    profile: 'node',
    clock: systemClock,
    random: systemRandom,
    metrics: createMetrics()
  })
}

/** What a messenger on this machine is built from. */
export async function componentsOf({
  store,
  network,
  log
}: {
  store: SealedStore
  network: Network
  log: Log
}) {
  const crypto = await createMlsCrypto({ primitives: nodePrimitives })
  return {
    store,
    network,
    crypto,
    primitives: nodePrimitives,
    clock: systemClock,
    random: systemRandom,
    log,
    failpoint: processFailpoint
  }
}

/** The device that the secrets are of. */
export function deviceOf(secrets: NodeSecrets, { account }: Profile): LocalDevice {
  const { device } = createDeviceKeys(secrets.deviceSeed, nodePrimitives)
  return { account, device, privateKey: secrets.deviceSeed }
}

function profileOf(
  secrets: NodeSecrets,
  init: { name: string; link: ReturnType<typeof parseJoinLink>; recoveryKey: Uint8Array }
): Profile {
  const { relay, addresses, invite } = init.link
  const homes = [{ relay, addresses }]
  const { account, operation } = createAccountOperation(
    {
      nonce: systemRandom.bytes(identity.NONCE_BYTES),
      device: createDeviceKeys(secrets.deviceSeed, nodePrimitives).keyPair,
      recoveryKey: init.recoveryKey,
      homes,
      createdAtMs: systemClock.now()
    },
    nodePrimitives
  )
  const deliverySecret = systemRandom.bytes(32)
  return { account, name: init.name, operations: [operation], homes, deliverySecret, invite }
}

/** An account as its new device shows it before it is opened. */
export function viewOf(secrets: NodeSecrets, { account, name, homes }: Profile): AccountView {
  const { device } = createDeviceKeys(secrets.deviceSeed, nodePrimitives)
  return {
    account,
    device,
    name,
    devices: [device],
    homes: homes.map(({ relay, addresses }) => ({ relay, addresses, connected: false })),
    link: formatContactLink({ account, name, relays: homes }),
    directLink: formatContactLink({ account, name, relays: homes })
  }
}

function parseJoin(link: string): ReturnType<typeof parseJoinLink> {
  try {
    return parseJoinLink(link)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new UserError('malformed-link', `This is not a join link: ${cause.detail}.`, {
      hint: 'A join link begins with kith:join/ and is printed by: kith-relay init',
      cause
    })
  }
}

function requireName(name: string): void {
  const bytes = new TextEncoder().encode(name).byteLength
  if (
    name.trim() === '' ||
    bytes > 64 ||
    name.startsWith('~') ||
    /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name)
  ) {
    throw new UserError(
      'bad-name',
      'A name has 1 to 64 bytes, no control characters, and no "~" in front.',
      {
        hint: 'Choose another: kith account create --relay <link> --name <name>'
      }
    )
  }
}
