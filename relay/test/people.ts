// Devices with accounts on a relay under test, over real connections on the loopback interface.
import {
  createMetrics,
  type MemoryDisk,
  type Network,
  openMemoryStore,
  silentLog,
  type Store,
  type Subscription,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import { createNetwork, nodePrimitives } from '@kith/node/kernel/host'
import {
  type AccountId,
  envelope as envelopes,
  identity,
  idBytes,
  parseJoinLink,
  type RelayAddress,
  publicKeyOf,
  box as protocol
} from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'
import { type DEFAULT_CONFIG, readConfig } from '../src/config.ts'
import { inviteWrite } from '../src/invites/index.ts'
import { createRelay, type Relay } from '../src/relay.ts'

export const RELAY_SEED = new Uint8Array(32).fill(11)
export const INVITE = 'an-invite'
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

const environment = () => ({
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  metrics: createMetrics()
})

export interface RelayOptions {
  readonly registration?: 'open' | 'invite'
  readonly limits?: Partial<typeof DEFAULT_CONFIG.limits>
  readonly listen?: string
}

/** A relay in this process over a store. */
export async function startRelay(store: Store, options: RelayOptions = {}): Promise<Relay> {
  const { registration = 'open', limits = {}, listen = LOOPBACK } = options
  return createRelay({
    ...environment(),
    store,
    primitives: nodePrimitives,
    privateKey: RELAY_SEED,
    config: readConfig({ registration, limits, listen: [listen] }),
    invite: registration === 'invite' ? INVITE : '',
    network: () =>
      createNetwork({
        ...environment(),
        privateKey: RELAY_SEED,
        listen: [listen],
        profile: 'relay'
      })
  })
}

/** As `startRelay`, over a disk in memory. */
export const startOnDisk = (disk: MemoryDisk, options?: RelayOptions): Promise<Relay> =>
  startRelay(openMemoryStore(disk), options)

/** Makes the invite usable in a store that no relay has open. */
export async function addInvite(store: Store, uses: number): Promise<void> {
  await store.commit([inviteWrite(INVITE, uses, nodePrimitives.sha256)])
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
  readonly keys = nodePrimitives.keyPair(systemRandom.bytes(32))
  readonly secret = systemRandom.bytes(32)
  account: AccountId | undefined
  relay: RelayAddress

  private constructor(network: Network, keys: Device['keys'], relay: RelayAddress) {
    this.network = network
    this.keys = keys
    this.relay = relay
  }

  static async connect(joinLink: string): Promise<Device> {
    const keys = nodePrimitives.keyPair(systemRandom.bytes(32))
    const network = await createNetwork({
      ...environment(),
      privateKey: keys.privateKey,
      listen: [],
      profile: 'node'
    })
    return new Device(network, keys, parseJoinLink(joinLink))
  }

  /** A device whose account the relay hosts. */
  static async join(joinLink: string): Promise<Device> {
    const device = await Device.connect(joinLink)
    await device.register()
    return device
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

  async register(invite = INVITE, operation = this.createOperation()): Promise<number> {
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

  /** Sets the delivery secret. */
  configure() {
    const request = { deliverySecret: this.secret }
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
