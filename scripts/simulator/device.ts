// One device: the shipped messenger over the ports of the simulation, its disk, and everything that was ever shown
// on it.
import { createMessenger, type Messenger, type NodeEvent } from '@kith/node'
import { type SealedStore, sealStore, silentLog, type WrapStep } from '@kith/node/kernel'
import type { DeliveryState, Effect, Input } from '@kith/node/testing'
import {
  type DeviceId,
  deviceIdOf,
  formatContactLink,
  idBytes,
  type MessageId
} from '@kith/protocols'
import type { Account } from './accounts.ts'
import { randomOf } from './chance.ts'
import { openDisk, type SimDisk } from './disk.ts'
import { SimNode } from './node.ts'
import { symbolicPrimitives as primitives } from './primitives.ts'
import { NodeClock } from './scheduler.ts'
import type { World } from './world.ts'

export interface DeliveryStep {
  readonly state: DeliveryState
  readonly effects: readonly (
    | Effect
    | { readonly type: 'commit'; readonly writes: readonly never[] }
  )[]
}

export class SimDevice {
  readonly name: string
  readonly account: Account
  readonly id: DeviceId
  readonly disk: SimDisk
  readonly clock: NodeClock
  /** Texts in the order in which they were given, and whether the messenger has taken them. */
  readonly sent: { readonly text: string; taken: boolean }[] = []
  /** Messages of others that were shown, over all runs. */
  readonly shown = new Set<MessageId>()
  /** Ids that a list has shown once. */
  readonly listed = new Set<MessageId>()
  /** Duplicate marks that steps have written and that are not lost. */
  held = new Set<MessageId>()
  state: DeliveryState | undefined
  messenger: Messenger | undefined
  #peer: Account | undefined
  #node: SimNode | undefined
  #store: SealedStore | undefined
  #runs = 0
  #isStarting = false
  readonly #world: World
  readonly #seed: Uint8Array
  readonly #storeKey: Uint8Array

  constructor(world: World, { account, name }: { account: Account; name: string }) {
    this.#world = world
    this.account = account
    this.name = `${account.name}-${name}`
    const random = randomOf(world.dice(`${this.name} keys`))
    this.#seed = random.bytes(32)
    this.#storeKey = random.bytes(32)
    this.id = deviceIdOf(this.keys.publicKey)
    this.disk = world.createDisk(this.name)
    this.clock = new NodeClock(world.scheduler)
  }

  get keys() {
    return primitives.keyPair(this.#seed)
  }

  get isRunning(): boolean {
    return this.messenger !== undefined || this.#isStarting
  }

  /** Whether this message's duplicate mark is durable. */
  hasDurably(id: MessageId): boolean {
    const key = this.#store?.opaqueKey('delivery/mark', idBytes(id))
    return key !== undefined && this.disk.hasKeyEndingIn(key)
  }

  /** A store over the disk, as this device reads it. */
  openStore(): Promise<SealedStore> {
    const random = randomOf(this.#world.dice(`${this.name} store ${this.#runs}`))
    return sealStore(openDisk(this.disk), { key: this.#storeKey, primitives, random })
  }

  async start(): Promise<void> {
    if (this.isRunning) return
    this.#isStarting = true
    this.#runs += 1
    const { generation } = this.disk
    try {
      const store = await this.openStore()
      this.#store = store
      this.held = new Set([...this.held].filter((id) => this.hasDurably(id)))
      const node = new SimNode(this.#world.network, {
        name: this.name,
        publicKey: this.keys.publicKey,
        address: this.#world.addressOf(this.name)
      })
      this.#node = node
      const run = `${this.name} run ${this.#runs}`
      const messenger = await createMessenger(
        {
          store,
          network: node,
          crypto: this.#world.crypto,
          primitives,
          clock: this.#aliveClock(generation),
          random: randomOf(this.#world.dice(run)),
          log: silentLog,
          wrapStep: this.#watch(generation)
        },
        {
          device: {
            account: this.account.id,
            device: this.id,
            privateKey: this.#seed
          },
          profile: this.account.profile()
        }
      )
      if (generation !== this.disk.generation) return
      this.messenger = messenger
      this.#listen(messenger, generation)
      if (this.#peer !== undefined) this.meet(this.#peer)
    } catch (error) {
      // Crashed while it started.
      if (generation === this.disk.generation) throw error
    } finally {
      if (generation === this.disk.generation) this.#isStarting = false
    }
  }

  /** As a power failure: nothing more leaves, and what was not synced is gone. */
  crash(): void {
    const { messenger } = this
    this.messenger = undefined
    this.#isStarting = false
    this.#world.crashDisk(this.name, this.disk)
    void this.#node?.stop()
    this.#node = undefined
    this.#world.spawn(messenger?.stop().catch(() => undefined))
  }

  /** Adds the contact, now and at every start: a crash may have lost it. */
  meet(other: Account): void {
    this.#peer = other
    const link = formatContactLink({ account: other.id, name: other.name, relays: other.homes })
    const added = this.messenger?.addContact({ link, name: other.name }).catch(() => undefined)
    this.#world.spawn(added)
  }

  /** What a user sees of the talk; undefined while there is none to be seen. */
  async list(): Promise<Awaited<ReturnType<Messenger['listMessages']>> | undefined> {
    const { messenger } = this
    if (messenger === undefined || this.#peer === undefined) return undefined
    const { name } = this.#peer
    const contacts = await messenger.listContacts()
    if (!contacts.some((contact) => contact.name === name)) return undefined
    return await messenger.listMessages({ with: name, limit: 1_000 })
  }

  /** Composes; whether it was taken stands in `sent`. */
  send(to: Account, text: string): void {
    const sent = { text, taken: false }
    this.sent.push(sent)
    const taken = this.messenger?.sendMessage({ to: to.name, text }).then(
      () => {
        sent.taken = true
      },
      () => {
        // A crash on the way: it may be in the outbox or not.
      }
    )
    this.#world.spawn(taken)
  }

  /** Timers of a run that has crashed never fire. */
  #aliveClock(generation: number) {
    const { clock, disk } = this
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs: number, callback: () => void) =>
        clock.schedule(delayMs, () => {
          if (generation === disk.generation) callback()
        })
    }
  }

  #watch(generation: number): WrapStep {
    return (step) => {
      const broken = this.#world.options.breakStep?.(this.name)
      const real = broken?.(step) ?? step
      return (state, nowMs, input) => {
        const stepped = real(state, nowMs, input)
        if (generation === this.disk.generation) {
          this.#world.stepped(this, input as Input, stepped as unknown as DeliveryStep)
        }
        return stepped
      }
    }
  }

  #listen(messenger: Messenger, generation: number): void {
    const events = messenger.events(new AbortController().signal)
    const read = async (): Promise<void> => {
      for await (const event of events as AsyncIterable<NodeEvent>) {
        if (generation !== this.disk.generation) return
        this.#world.told(this, event)
      }
    }
    this.#world.spawn(read())
  }
}
