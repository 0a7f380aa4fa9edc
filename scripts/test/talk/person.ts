// One person of a talk: a device of an account, its disk, and everything that was ever shown on it.
import { createMessenger, type MessageView, type Messenger, type NodeEvent } from '@kith/node'
import {
  type KeyPair,
  MemoryDisk,
  type Network,
  openMemoryStore,
  type PeerAddress,
  type Rpc,
  type SealedStore,
  type Store,
  sealStore
} from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import {
  type AccountId,
  type box,
  type DeviceId,
  deviceIdOf,
  formatContactLink,
  identity,
  publicKeyOf
} from '@kith/protocols'
import { addOperation, createOperation } from './first-operation.ts'
import { SkewedClock } from './skewed-clock.ts'
import type { World } from './world.ts'

/** Stands in account logs and links; the world knows where the relay really is. */
const ADDRESS = '/ip4/127.0.0.1/tcp/4001'

/** What a relay's item becomes before its reader sees it: none, one or several. */
export type Tamper = (item: box.SubscribeItem) => readonly box.SubscribeItem[]

/** Stands between a device and its relay: passes a request on with `ask`, or answers it itself. */
export type Lie = (
  protocol: string,
  message: never,
  ask: () => Promise<unknown>
) => Promise<unknown>

export interface Sent {
  readonly text: string
  /** Undefined while it is not known whether the outbox has it, and for ever after a crash. */
  view: MessageView | undefined
}

export interface PersonOptions {
  readonly shownAs?: string
  /** Another device of that person's account, which adds it on top of `log`. */
  readonly of?: Person
  readonly log?: readonly identity.SignedOperation[]
  /** Of the device's wall clock. */
  readonly clockOffsetMs?: number
}

export class Person {
  readonly name: string
  readonly disk = new MemoryDisk()
  readonly account: AccountId
  readonly device: DeviceId
  /** Of the account. */
  readonly recovery: KeyPair
  readonly link: string
  /** Every event of every run, in order. */
  readonly events: NodeEvent[] = []
  readonly sent: Sent[] = []
  /** Called with each event as it happens. */
  onEvent: (event: NodeEvent) => void = () => {}
  /** What the relay's items become on their way to this person. */
  tamper: Tamper | undefined
  messenger: Messenger | undefined
  /** Of the latest run. */
  store: SealedStore | undefined
  rpc: Rpc | undefined
  /** Called when a message has been taken. */
  onSent: (view: MessageView) => void = () => {}
  /** Called with each request before it leaves; what it throws is the answer. */
  onRequest: (protocol: string, message: unknown) => void = () => {}
  /** What the relay answers to this person's requests. */
  lie: Lie | undefined
  readonly deliverySecret: Uint8Array
  /** What this device takes for the time. */
  readonly clock: SkewedClock
  readonly #world: World
  readonly #seed: Uint8Array
  readonly #storeKey: Uint8Array
  readonly #profile
  #network: Network | undefined
  #listening = new AbortController()

  /** The account's log when this device was made. */
  readonly log: readonly identity.SignedOperation[]

  constructor(world: World, name: string, options: PersonOptions = {}) {
    this.#world = world
    this.clock = new SkewedClock(world.clock, options.clockOffsetMs)
    this.name = name
    this.#seed = world.random.bytes(32)
    this.#storeKey = world.random.bytes(32)
    const keys = primitives.keyPair(this.#seed)
    this.device = deviceIdOf(keys.publicKey)
    const homes = [{ relay: world.relayId, addresses: [ADDRESS] }]
    const { of: first, log = [] } = options
    this.deliverySecret = first?.deliverySecret ?? world.random.bytes(32)
    const nonce = world.random.bytes(identity.NONCE_BYTES)
    this.recovery = first?.recovery ?? primitives.keyPair(world.random.bytes(32))
    this.log =
      first === undefined
        ? [createOperation(world, { keys, nonce, recovery: this.recovery, homes })]
        : [...log, addOperation(world, log, { by: first.keys, added: keys })]
    const [created] = this.log as [identity.SignedOperation]
    this.account = identity.accountIdOfFirst(created.operation, primitives.sha256)
    this.#profile = {
      account: this.account,
      name: options.shownAs ?? name,
      operations: this.log,
      homes,
      deliverySecret: this.deliverySecret,
      invite: ''
    }
    this.link = formatContactLink({ account: this.account, name, relays: homes })
  }

  /** Of the device. */
  get keys(): KeyPair {
    return primitives.keyPair(this.#seed)
  }

  get api(): Messenger {
    if (this.messenger === undefined) throw new Error(`${this.name} is not running`)
    return this.messenger
  }

  get isRunning(): boolean {
    return this.messenger !== undefined
  }

  async start(): Promise<void> {
    const { clock } = this
    const { random, log, crypto } = this.#world
    const store = await this.openStore(openMemoryStore(this.disk))
    this.store = store
    const network = this.#world.networks.join({ publicKey: publicKeyOf(this.device) })
    this.#network = network
    this.rpc = this.#through(network.rpc)
    this.messenger = await createMessenger(
      {
        store,
        network: {
          rpc: this.rpc,
          addresses: () => (this.#world.isDirect ? network.addresses() : []),
          onConnection: (listener) => network.onConnection(listener),
          onDiscovery: (listener) => network.onDiscovery(listener)
        },
        crypto,
        primitives,
        clock,
        random,
        log
      },
      {
        device: this.local,
        profile: this.#profile
      }
    )
    this.#listen(this.messenger, store.close.bind(store))
  }

  /** This device as it signs. */
  get local() {
    return { account: this.account, device: this.device, privateKey: this.#seed }
  }

  /** The store as this device reads it. */
  openStore(store: Store): Promise<SealedStore> {
    return sealStore(store, { key: this.#storeKey, primitives, random: this.#world.random })
  }

  /** In order: sessions, network, store. */
  async stop(): Promise<void> {
    const { messenger } = this
    this.messenger = undefined
    await messenger?.stop()
    this.#listening.abort()
    await this.#network?.stop()
    await this.#close()
  }

  /** As a power failure: nothing more leaves, and what was not synced is gone. */
  async crash(): Promise<void> {
    const { messenger } = this
    this.messenger = undefined
    this.#listening.abort()
    const left = this.#network?.stop()
    this.disk.crash()
    await left
    await messenger?.stop()
    await this.#close().catch(() => undefined)
  }

  /** Composes; what becomes of it stands in `sent`. */
  send(to: string, text: string): Promise<void> {
    const sent: Sent = { text, view: undefined }
    this.sent.push(sent)
    return this.api.sendMessage({ to, text }).then(
      (view) => {
        sent.view = view
        this.onSent(view)
      },
      () => {
        // A crash on the way: it may be in the outbox or not.
      }
    )
  }

  async texts(who: string): Promise<readonly string[]> {
    return (await this.messages(who)).map(({ text }) => text)
  }

  async messages(who: string): Promise<readonly MessageView[]> {
    return (await this.api.listMessages({ with: who, limit: 1_000 })).messages
  }

  /** What a failure shows of this person. */
  async describe(): Promise<string> {
    if (!this.isRunning) return `${this.name} sleeps`
    const status = await this.api.status()
    const contacts = await this.api.listContacts()
    const talks = await Promise.all(
      contacts.map(async ({ name }) => {
        const messages = await this.messages(name)
        const open = messages.filter(({ state }) => state === 'queued' || state === 'accepted')
        const told = open.map(
          ({ text, state, reason }) => `${text.slice(0, 20)} ${state} ${reason}`
        )
        return `${name}: ${messages.length} messages; ${told.join(', ')}`
      })
    )
    return [`${this.name}: ${JSON.stringify(status)}`, ...talks].join('\n  ')
  }

  eventsOf<Type extends NodeEvent['type']>(type: Type): Extract<NodeEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<NodeEvent, { type: Type }> => event.type === type
    )
  }

  /** Records on disk whose key holds this text. */
  async records(prefix: string): Promise<number> {
    const isRunning = this.isRunning
    if (isRunning) throw new Error('stop first')
    const store = openMemoryStore(this.disk)
    let count = 0
    const all = { from: new Uint8Array(0), to: new Uint8Array(64).fill(255) }
    for await (const [key] of store.scan(all)) {
      if (Buffer.from(key).includes(prefix)) count += 1
    }
    await store.close()
    return count
  }

  #close: () => Promise<void> = async () => {}

  #listen(messenger: Messenger, close: () => Promise<void>): void {
    this.#close = close
    this.#listening = new AbortController()
    const { signal } = this.#listening
    const events = messenger.events(signal)
    const read = async () => {
      for await (const event of events) {
        if (signal.aborted) return
        this.events.push(event)
        this.onEvent(event)
      }
    }
    read().catch((error: unknown) => this.#world.fail(error))
  }

  /** The network as this device sees it: the relay is where it is now, and may lie. */
  #through(rpc: Rpc): Rpc {
    const locate = (peer: PeerAddress): PeerAddress =>
      peer.id === this.#world.relayId
        ? { id: peer.id, addresses: this.#world.relayAddresses() }
        : peer
    return {
      ...rpc,
      request: async (peer, protocol, message, options) => {
        this.onRequest(protocol.id, message)
        const ask = () => rpc.request(locate(peer), protocol, message, options)
        if (this.lie === undefined || peer.id !== this.#world.relayId) return ask()
        return (await this.lie(protocol.id, message as never, ask)) as Awaited<
          ReturnType<typeof ask>
        >
      },
      subscribe: async (peer, protocol, message, options) => {
        const real = await rpc.subscribe(locate(peer), protocol, message, options)
        const items = this.#tampered(real as unknown as AsyncIterable<box.SubscribeItem>)
        return {
          acknowledge: (acknowledgement) => real.acknowledge(acknowledgement),
          close: () => real.close(),
          [Symbol.asyncIterator]: () => items as unknown as AsyncIterator<never>
        }
      }
    }
  }

  async *#tampered(items: AsyncIterable<box.SubscribeItem>): AsyncGenerator<box.SubscribeItem> {
    for await (const item of items) yield* this.tamper?.(item) ?? [item]
  }
}
