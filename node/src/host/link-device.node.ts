// Makes this machine a further device of an account: meets the old device behind its code, has both users compare
// six emoji, and takes over what the old device hands out. Until all of it is on disk there is no account here.
import { hostname } from 'node:os'
import { type AccountId, type DeviceId, ProtocolError } from '@kith/protocols'
import { type AccountView, UserError } from '../api.ts'
import { KeyPackageStore } from '../groups/key-package-store.ts'
import { createKeyFile } from '../identity/key-file.node.ts'
import { createDeviceKeys, createNodeSecrets, type NodeSecrets } from '../identity/keys.ts'
import type { Profile } from '../identity/profile.ts'
import { nodePrimitives } from '../kernel/host/index.ts'
import { type Log, type Network, systemClock, systemRandom } from '../kernel/index.ts'
import {
  beginNew,
  createNewStep,
  drawSeeds,
  type Emoji,
  installBundle,
  LinkRun,
  linkError,
  type NewEffect,
  type NewInput,
  type NewState,
  parseLinkCode,
  relayExchange,
  rendezvousOf,
  requireDeviceName,
  unpackBundle
} from '../linking/index.ts'
import { hasAccount, keyFileOf, openHomeStore } from './home.node.ts'
import { discardHome, prepareHome, releaseHome } from './link-home.node.ts'
import { componentsOf, deviceOf, networkOf, type OpenOptions, viewOf } from './open.node.ts'

const DEVICE_NAME_BYTES_MAX = 64

export interface LinkOptions extends OpenOptions {
  /** `kith:link/…`, from the old device. */
  readonly code: string
  /** What this device calls itself; by default the machine's name. */
  readonly name?: string | undefined
  /** Shows the emoji and asks whether they are the same on the other device. */
  readonly compare: (seen: {
    emoji: readonly Emoji[]
    account: AccountId
    name: string
  }) => Promise<boolean>
  readonly signal?: AbortSignal | undefined
}

/** Resolves once this device belongs to the account. Throws UserError; then nothing is left behind. */
export async function linkDevice(
  options: LinkOptions
): Promise<{ account: AccountView; deviceName: string }> {
  const { home, log } = options
  const code = parseLinkCode(options.code, nodePrimitives)
  const deviceName = requireDeviceName(options.name ?? machineName())
  if (await hasAccount(home)) {
    throw new UserError('account-exists', `There is an account in ${home} already.`, {
      hint: "Use another folder: kith --home <folder> device link '<code>'"
    })
  }
  const secrets = createNodeSecrets(systemRandom)
  const network = await networkOf(secrets, { log, listen: [] })
  try {
    const link = new DeviceLink(options, { secrets, network, deviceName })
    const profile = await link.run(code)
    return { account: viewOf(secrets, profile), deviceName }
  } finally {
    await network.stop()
  }
}

interface DeviceLinkParts {
  readonly secrets: NodeSecrets
  readonly network: Network
  readonly deviceName: string
}

class DeviceLink {
  readonly #options: LinkOptions
  readonly #parts: DeviceLinkParts
  readonly #device: DeviceId
  readonly #ending = new AbortController()
  #run: LinkRun<NewState, NewInput, NewEffect> | undefined
  #installing: Promise<void> = Promise.resolve()
  #installed: Profile | undefined
  #isHomeOurs = false
  #failure: unknown

  constructor(options: LinkOptions, parts: DeviceLinkParts) {
    this.#options = options
    this.#parts = parts
    this.#device = createDeviceKeys(parts.secrets.deviceSeed, nodePrimitives).device
  }

  async run({ secret, relay }: ReturnType<typeof parseLinkCode>): Promise<Profile> {
    const { network, secrets, deviceName: name } = this.#parts
    const { home, signal } = this.#options
    const seeds = drawSeeds(systemRandom, secret)
    const { keyPair: device } = createDeviceKeys(secrets.deviceSeed, nodePrimitives)
    const place = { id: relay.relay, addresses: relay.addresses }
    const run = new LinkRun<NewState, NewInput, NewEffect>({
      exchange: relayExchange(network.rpc, place, rendezvousOf(secret, nodePrimitives)),
      clock: systemClock,
      begun: beginNew({ seeds, device, name }, systemClock.monotonic()),
      step: createNewStep(nodePrimitives),
      perform: (effect) => this.#perform(effect)
    })
    this.#run = run
    const cancel = () => run.dispatch({ type: 'failed', reason: 'cancelled' })
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    const failure = await run.ended
    signal?.removeEventListener('abort', cancel)
    this.#ending.abort(new ProtocolError('unavailable', 'the link is over'))
    await this.#installing
    if (failure === undefined && this.#installed !== undefined) return this.#installed
    if (this.#isHomeOurs) await discardHome(home)
    throw linkError(failure ?? 'failed', this.#failure)
  }

  #perform(effect: NewEffect): void {
    if (effect.type === 'compare') void this.#compare(effect)
    if (effect.type === 'install') this.#installing = this.#install(effect)
  }

  async #compare({ emoji, account, name }: Extract<NewEffect, { type: 'compare' }>): Promise<void> {
    try {
      const isSame = await this.#options.compare({ emoji, account, name })
      this.#run?.dispatch({ type: 'answer', isSame })
    } catch (error) {
      this.#failure = error
      this.#run?.dispatch({ type: 'failed', reason: 'cancelled' })
    }
  }

  async #install({ account, bundle }: Extract<NewEffect, { type: 'install' }>): Promise<void> {
    try {
      this.#installed = await this.#fillHome(account, bundle)
      this.#run?.dispatch({ type: 'installed' })
    } catch (error) {
      this.#options.log.warn('link-not-installed', { reason: String(error) })
      this.#failure = error
      this.#run?.dispatch({ type: 'failed', reason: 'failed' })
    }
  }

  /** The key file comes last: without it there is no account, whatever ends this process. */
  async #fillHome(account: AccountId, packed: Uint8Array): Promise<Profile> {
    const { home, log, passphrase } = this.#options
    const { secrets } = this.#parts
    const bundle = await unpackBundle(packed, {
      account,
      device: this.#device,
      primitives: nodePrimitives
    })
    await prepareHome(home)
    this.#isHomeOurs = true
    const profile = await this.#fillStore(bundle, { home, log })
    this.#ending.signal.throwIfAborted()
    await createKeyFile(keyFileOf(home), secrets, passphrase)
    await releaseHome(home)
    return profile
  }

  async #fillStore(
    bundle: Awaited<ReturnType<typeof unpackBundle>>,
    { home, log }: { home: string; log: Log }
  ): Promise<Profile> {
    const { network, secrets } = this.#parts
    const { rpc } = network
    const store = await openHomeStore(home, { secrets, log })
    try {
      const profile = await installBundle({ store, rpc, primitives: nodePrimitives }, bundle)
      const components = await componentsOf({ store, network, log })
      const device = deviceOf(secrets, profile)
      const [first] = profile.homes
      if (first === undefined) throw new ProtocolError('malformed', 'an account without a home')
      const place = { id: first.relay, addresses: first.addresses }
      await new KeyPackageStore({ ...components, rpc, device }).replenish(
        place,
        this.#ending.signal
      )
      return profile
    } finally {
      await store.close()
    }
  }
}

function machineName(): string {
  const [name = ''] = hostname().split('.')
  const isFit = /^[\w-]+$/.test(name) && name.length <= DEVICE_NAME_BYTES_MAX
  return isFit ? name : 'device'
}
