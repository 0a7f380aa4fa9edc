// Relays and devices with accounts for tests, connected in memory or over the loopback interface.
import {
  createMetrics,
  type KeyPair,
  type Log,
  type MemoryDisk,
  type Metrics,
  type Network,
  type NetworkProfile,
  openMemoryStore,
  type Store,
  type Subscription,
  silentLog,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import { createNetwork, nodePrimitives } from '@kith/node/kernel/host'
import { createMemoryNetworks } from '@kith/node/testing'
import {
  type AccountId,
  type DeviceId,
  envelope as envelopes,
  idBytes,
  identity,
  type JoinLink,
  parseJoinLink,
  box as protocol,
  publicKeyOf
} from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { DEFAULT_CONFIG, type RelayConfig } from '../src/config/index.ts'
import { inviteWrite } from '../src/invites/index.ts'
import { createRelay, type Relay } from '../src/relay.ts'

export const INVITE = 'an-invite'

const environment = () => ({
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  metrics: createMetrics()
})

/** Whose connections a relay keeps when it needs room. */
type IsKnown = (peer: DeviceId) => boolean

/** What connects the relay and the devices of one test. */
export interface Wire {
  join(keys: KeyPair, profile: NetworkProfile, isKnown?: IsKnown): Promise<Network>
}

/** In memory: no sockets, no encryption. */
export function memoryWire(): Wire {
  const networks = createMemoryNetworks({ clock: systemClock })
  return { join: async ({ publicKey }) => networks.join({ publicKey }) }
}

/** The real thing; a relay takes `listen`. */
export function tcpWire(listen = '/ip4/127.0.0.1/tcp/0'): Wire {
  return {
    join: ({ privateKey }, profile, isKnown = () => false) =>
      createNetwork({
        ...environment(),
        privateKey,
        listen: profile === 'relay' ? [listen] : [],
        profile,
        isKnown
      })
  }
}

export interface RelayOptions {
  readonly wire: Wire
  readonly store: Store
  readonly registration?: 'open' | 'invite'
  readonly limits?: Partial<RelayConfig['limits']>
  readonly log?: Log
  readonly metrics?: Metrics
}

const RELAY_SEED = new Uint8Array(32).fill(1)

/** A relay in this process. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { wire, store, registration = 'open', limits = {} } = options
  const keys = nodePrimitives.keyPair(RELAY_SEED)
  const { log, metrics } = { ...environment(), ...options }
  return createRelay({
    ...environment(),
    log,
    metrics,
    store,
    primitives: nodePrimitives,
    privateKey: keys.privateKey,
    config: { ...DEFAULT_CONFIG, registration, limits: { ...DEFAULT_CONFIG.limits, ...limits } },
    invite: registration === 'invite' ? INVITE : '',
    network: (isKnown) => wire.join(keys, 'relay', isKnown)
  })
}

/** As `startRelay`, in memory. */
export const startOnDisk = (
  disk: MemoryDisk,
  options: Omit<RelayOptions, 'store'>
): Promise<Relay> => startRelay({ ...options, store: openMemoryStore(disk) })

/** Makes the invite usable in a store that no relay has open. */
export async function addInvite(store: Store, uses: number): Promise<void> {
  await store.commit([inviteWrite(INVITE, { uses, createdAtMs: 1 }, nodePrimitives.sha256)])
}

export interface SubscribedItems {
  readonly subscription: Subscription<protocol.SubscribeItem, protocol.Acknowledgement>
  /** The next item. */
  next(): Promise<protocol.SubscribeItem>
  /** Items until a signed head says that `number` is the end; their entries. */
  until(number: number): Promise<protocol.Entry[]>
  close(): void
}

/** One device. */
export class Device {
  readonly network: Network
  readonly keys: KeyPair
  readonly secret = systemRandom.bytes(32)
  account: AccountId | undefined
  relay: JoinLink

  private constructor(network: Network, keys: KeyPair, relay: JoinLink) {
    this.network = network
    this.keys = keys
    this.relay = relay
  }

  /** A device that knows a relay and has no account. */
  static async connect(wire: Wire, joinLink: string): Promise<Device> {
    const keys = nodePrimitives.keyPair(systemRandom.bytes(32))
    return new Device(await wire.join(keys, 'node'), keys, parseJoinLink(joinLink))
  }

  /** A device whose account the relay hosts. */
  static async join(wire: Wire, joinLink: string): Promise<Device> {
    const device = await Device.connect(wire, joinLink)
    await device.register()
    return device
  }

  /** Turns to a relay that has come back, perhaps at another address. */
  meet(relay: Relay): void {
    this.relay = parseJoinLink(relay.joinLink)
  }

  get peer() {
    return { id: this.relay.relay, addresses: this.relay.addresses }
  }

  get accountBytes(): Uint8Array {
    if (this.account === undefined) throw new Error('not registered')
    return idBytes(this.account)
  }

  createOperation(): identity.SignedOperation {
    const operation = identity.Operation.encode({
      version: identity.OPERATION_VERSION,
      account: new Uint8Array(0),
      sequence: 0,
      previous: new Uint8Array(0),
      createdAtMs: 1,
      create: {
        nonce: systemRandom.bytes(32),
        device: this.keys.publicKey,
        recoveryKey: nodePrimitives.keyPair(systemRandom.bytes(32)).publicKey,
        homes: [{ relay: publicKeyOf(this.relay.relay), addresses: [...this.relay.addresses] }]
      }
    })
    return this.sign(operation)
  }

  sign(operation: Uint8Array): identity.SignedOperation {
    return {
      operation,
      signer: this.keys.publicKey,
      signature: nodePrimitives.sign(this.keys.privateKey, identity.operationToSign(operation))
    }
  }

  /** Makes the account; with the invite of the join link unless told otherwise. */
  async register(invite = this.relay.invite, operation = this.createOperation()): Promise<number> {
    const { length } = await this.appendOperation(operation, invite)
    this.account = identity.accountIdOfFirst(operation.operation, nodePrimitives.sha256)
    return length
  }

  appendOperation(operation: identity.SignedOperation, invite = '') {
    return this.network.rpc.request(this.peer, identity.identityAppend, { operation, invite })
  }

  async append(envelope: Uint8Array, ...targets: protocol.Target[]): Promise<number> {
    const request = { envelope, targets }
    return (await this.network.rpc.request(this.peer, protocol.boxAppend, request)).number
  }

  /** Sets the delivery secret, and the accounts from which nothing is taken. */
  configure(blocked: Uint8Array[] = []) {
    const request = { deliverySecret: this.secret, blocked }
    return this.network.rpc.request(this.peer, protocol.boxConfigure, request)
  }

  /** This device's account as a target, with a token for these bytes. */
  targetFor(bytes: Uint8Array): protocol.Target {
    const account = this.accountBytes
    const envelopeId = nodePrimitives.sha256(bytes)
    const token = { secret: this.secret, account, envelopeId }
    return { account, deliveryToken: protocol.deliveryToken(token, nodePrimitives.hmac) }
  }

  /** As `targetFor`, from somebody who was never told the secret. */
  get targetForStrangers(): protocol.Target {
    return { account: this.accountBytes, deliveryToken: new Uint8Array(0) }
  }

  async subscribe(cursor: Partial<protocol.SubscribeRequest> = {}): Promise<SubscribedItems> {
    const abort = new AbortController()
    const request = { storeEpoch: new Uint8Array(0), after: 0, ...cursor }
    const subscription = await this.network.rpc.subscribe(
      this.peer,
      protocol.boxSubscribe,
      request,
      { signal: abort.signal }
    )
    const iterator = subscription[Symbol.asyncIterator]()
    const next = async () => {
      const { value, done } = await iterator.next()
      if (done === true) throw new Error('the subscription ended')
      return value as protocol.SubscribeItem
    }
    return {
      subscription,
      next,
      async until(number) {
        const entries: protocol.Entry[] = []
        for (;;) {
          const item = await next()
          entries.push(...item.entries)
          subscription.acknowledge({
            storeEpoch: item.storeEpoch,
            number: entries.at(-1)?.number ?? 0
          })
          if ((item.head?.head?.number ?? -1) >= number) return entries
        }
      },
      close: () => subscription.close()
    }
  }

  stop(): Promise<void> {
    return this.network.stop()
  }
}

/** Bytes that a relay takes for an envelope; a different one each time. */
export function randomEnvelope(contentBytes = 200): Uint8Array {
  return envelopes.Envelope.encode({
    version: 1,
    epochTag: systemRandom.bytes(envelopes.EPOCH_TAG_BYTES),
    salt: systemRandom.bytes(envelopes.SALT_BYTES),
    commitment: systemRandom.bytes(envelopes.COMMITMENT_BYTES),
    sealedHeader: systemRandom.bytes(120),
    sealedContent: systemRandom.bytes(contentBytes)
  })
}

/** For comparisons: a Buffer and a Uint8Array with the same bytes give the same text. */
export const hex = (bytes: Uint8Array | undefined): string =>
  toText(bytes ?? new Uint8Array(0), 'hex')
