// The relay's wiring: builds each service in order over one store and one network, and stops in reverse.
import {
  type Clock,
  type Failpoint,
  type Log,
  type Metrics,
  type Network,
  type Primitives,
  type Random,
  type Store,
  StoreError,
  type WrapStep,
  type Write
} from '@kith/node/kernel'
import {
  ADDRESSES_MAX,
  type DeviceId,
  formatJoinLink,
  ProtocolError,
  publicKeyOf,
  type RelayId,
  relayIdOf
} from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { createAdmin } from './admin/admin.ts'
import { Suspensions } from './admin/suspensions.ts'
import { openBoxes, serveBox } from './box/index.ts'
import { type Difference, differencesOf, type RelayConfig } from './config/index.ts'
import { createRemoval } from './device-removal.ts'
import { createEvents, type RelayEvents } from './events.ts'
import { Gate } from './gate.ts'
import { createAppendTurns, loadDirectory, serveIdentity } from './identity/index.ts'
import { InviteBook } from './invites/index.ts'
import { createPackageTurns, serveKeyPackages } from './key-packages/index.ts'
import { FreeSpace } from './limits/free-space.ts'
import { Rates } from './limits/rates.ts'
import { serveLinking } from './linking/index.ts'
import { serveSequencer } from './sequencer/index.ts'
import { createServe, type Serve } from './serve.ts'
import { openSlots, serveSlots } from './slots/index.ts'
import { openMeta } from './storage/meta.ts'

/** What a relay needs of its network. */
export type RelayNetwork = Pick<Network, 'rpc' | 'addresses' | 'disconnect' | 'stop'>

export interface RelayInit {
  /** Closed by `stop`. */
  readonly store: Store
  /** Called once everything stored is read, so that nobody is refused meanwhile; stopped by `stop`. */
  readonly network: (isKnown: (peer: DeviceId) => boolean) => Promise<RelayNetwork>
  /** 32 bytes, Ed25519 seed; the network's own. */
  readonly privateKey: Uint8Array
  readonly primitives: Primitives
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly config: RelayConfig
  /** Token for the join link; empty when registration is open. */
  readonly invite: string
  /** Bytes left on the disk of the store; unlimited when absent. */
  readonly freeBytes?: () => Promise<number>
  readonly failpoint?: Failpoint | undefined
  readonly wrapStep?: WrapStep | undefined
}

export interface RelayStatus {
  readonly id: RelayId
  readonly addresses: readonly string[]
  readonly joinLink: string
  readonly accounts: number
  readonly boxes: number
  readonly entries: number
  /** 32 hexadecimal digits */
  readonly storeEpoch: string
}

export interface Relay {
  readonly id: RelayId
  /** Multiaddrs at which others reach it. */
  readonly addresses: readonly string[]
  /** What a new account is made with: `kith:join/…`. */
  readonly joinLink: string
  /** Rejects when the store has failed: the relay has stopped answering and must be started again. */
  readonly failed: Promise<never>
  /** `low-disk`: it serves, and takes nothing new. */
  readonly health: 'ok' | 'low-disk' | 'stopping'
  /** What the control socket asks of what it keeps, by method. */
  readonly admin: ReturnType<typeof createAdmin>
  status(): RelayStatus
  /** From here on nobody is let in; resolves once everybody who is in has been answered. */
  drain(): Promise<void>
  /** Takes settings that need no restart; resolves to everything that differs. */
  reconfigure(config: RelayConfig): readonly Difference[]
  /** Puts what waits on disk, stops serving, closes the store. Idempotent. */
  stop(): Promise<void>
}

/** Starts a relay over an open store and a network. Throws StoreError when the store cannot be read. */
export async function createRelay(given: RelayInit): Promise<Relay> {
  // Services look limits up where they stand, so that new ones hold at once.
  const live: Live = { ...given.config, limits: { ...given.config.limits } }
  const init = { ...given, config: live }
  const { store, config } = init
  const id = relayIdOf(init.primitives.keyPair(init.privateKey).publicKey)
  const events = createEvents(init.log, init.metrics)
  const failure = createFailure((error) =>
    events.storeFailed(error instanceof StoreError ? error.code : 'unknown')
  )
  const services = await openServices(init, events, failure.report)
  const isKnown = (peer: DeviceId) => services.directory.ofDevice(publicKeyOf(peer)) !== undefined
  const network = await init.network(isKnown)
  const { suspensions, freeSpace, gate } = services
  suspensions.attach(network)
  if (init.freeBytes !== undefined) await freeSpace.start()
  const serve = createServe(network.rpc, { events, onStoreFailure: failure.report, gate })
  serveAll(serve, id, { ...services, network }, init)
  // Nobody is answered any more; whoever runs the relay hears of it at the same time.
  failure.failed.catch(() => network.stop()).catch(() => undefined)
  const { boxes, directory } = services
  events.started(directory.size, boxes.entries)

  const addresses = () =>
    config.announce.length > 0 ? config.announce : network.addresses().slice(0, ADDRESSES_MAX)
  const status = (): RelayStatus => ({
    id,
    addresses: addresses(),
    joinLink: formatJoinLink({ relay: id, addresses: addresses(), invite: init.invite }),
    accounts: directory.size,
    boxes: boxes.count,
    entries: boxes.entries,
    storeEpoch: toText(boxes.storeEpoch, 'base16')
  })
  const stop = async (): Promise<void> => {
    freeSpace.stop()
    await network.stop()
    await boxes.stop()
    await store.close()
    events.stopped()
  }
  let stopping: Promise<void> | undefined
  return {
    id,
    get addresses() {
      return addresses()
    },
    get joinLink() {
      return status().joinLink
    },
    failed: failure.failed,
    get health() {
      if (gate.isStopping) return 'stopping'
      return freeSpace.isLow ? 'low-disk' : 'ok'
    },
    admin: createAdmin(services),
    status,
    drain: () => gate.drain(),
    reconfigure(next) {
      const differences = differencesOf(live, next)
      for (const { key, after, needsRestart } of differences) {
        if (!needsRestart) take(live, key, after)
      }
      return differences
    },
    stop() {
      stopping ??= stop()
      return stopping
    }
  }
}

/** Settings as they are changed in place. */
type Live = { -readonly [Key in keyof RelayConfig]: RelayConfig[Key] }

function take(live: Live, key: string, value: unknown): void {
  const [name = '', inner] = key.split('.')
  if (inner === undefined) Object.assign(live, { [name]: value })
  else Object.assign(live.limits, { [inner]: value })
}

type Services = Awaited<ReturnType<typeof openServices>>

/** Everything that is read from the store before anybody is answered. */
async function openServices(
  init: RelayInit,
  events: RelayEvents,
  onFailure: (error: unknown) => void
) {
  const { store, primitives, clock, privateKey, config, failpoint, wrapStep } = init
  const commit = async (writes: readonly Write[]): Promise<void> => {
    try {
      await store.commit(writes)
    } catch (cause) {
      onFailure(cause)
      throw new ProtocolError('unavailable', 'store-failed', { cause })
    }
  }
  const meta = await openMeta(store, init.random)
  const directory = await loadDirectory(store)
  const boxes = await openBoxes(
    {
      store,
      primitives,
      clock,
      privateKey,
      limits: config.limits,
      commit,
      onFailure,
      failpoint,
      wrapStep
    },
    meta
  )
  for (const { box, account } of directory.all()) {
    // The relay stopped between storing the account and opening its box.
    if (!boxes.has(box)) await boxes.open(box, account)
  }
  const slots = openSlots(store, boxes)
  const packageTurns = createPackageTurns()
  const rates = new Rates(config.limits, clock)
  const appends = createAppendTurns()
  const invites = new InviteBook({ store, primitives, random: init.random, clock, commit, appends })
  const suspensions = await Suspensions.load({ store, commit, directory })
  const freeSpace = new FreeSpace({
    freeBytes: init.freeBytes ?? (async () => Number.MAX_SAFE_INTEGER),
    least: () => config.freeBytesMin,
    clock,
    log: init.log,
    gauge: init.metrics.gauge('kith_relay_disk_free_bytes', 'Bytes left on the disk of the store.')
  })
  const gate = new Gate({ suspensions, freeSpace })
  return {
    store,
    primitives,
    clock,
    events,
    commit,
    directory,
    boxes,
    slots,
    packageTurns,
    rates,
    appends,
    invites,
    suspensions,
    freeSpace,
    gate,
    failpoint
  }
}

function serveAll(
  serve: Serve,
  relay: RelayId,
  services: Services & { readonly network: RelayNetwork },
  init: RelayInit
): void {
  const { primitives, boxes } = services
  const { config, privateKey } = init
  serveIdentity(serve, {
    ...services,
    relay,
    config,
    removeDevices: createRemoval(services, services.network),
    openBox: ({ box, account }) => boxes.open(box, account)
  })
  serveKeyPackages(serve, services)
  serveBox(serve, services)
  serveSlots(serve, services)
  serveSequencer(serve, { ...services, keys: primitives.keyPair(privateKey) })
  serveLinking(serve, services)
}

/** Told once, heard by whoever runs the relay. */
function createFailure(onFirst: (error: unknown) => void) {
  const { promise, reject } = Promise.withResolvers<never>()
  // Whoever runs the relay may look at it later or never.
  promise.catch(() => undefined)
  let reported = false
  return {
    failed: promise,
    report(error: unknown): void {
      // A request that was still running when the relay stopped; it was never answered.
      if (error instanceof StoreError && error.code === 'closed') return
      if (reported) return
      reported = true
      onFirst(error)
      reject(error)
    }
  }
}
