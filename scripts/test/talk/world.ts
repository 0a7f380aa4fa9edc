// A relay and people who talk through it, in one process: the real relay, the real messenger, disks and network
// in memory, a clock that stands still until told to move. Everything that happens follows from the seed.
import type { GroupCrypto } from '@kith/node'
import {
  createLog,
  createMetrics,
  type KeyPair,
  type Log,
  MemoryDisk,
  openMemoryStore
} from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import {
  createMemoryNetworks,
  createSymbolicCrypto,
  FakeClock,
  type MemoryNetworks
} from '@kith/node/testing'
import { type DeviceId, type RelayId, relayIdOf } from '@kith/protocols'
import { createRelay, DEFAULT_CONFIG, type Relay, type RelayLimits } from '@kith/relay'
import { createDice, type Dice } from '../../storm/dice.ts'
import { randomOf } from './chance.ts'
import { Person, type PersonOptions } from './person.ts'
import { SkewedClock } from './skewed-clock.ts'

export interface WorldOptions {
  readonly chunkBytes?: number
  readonly latencyMs?: number
  readonly limits?: Partial<RelayLimits>
  /** Devices tell where they are, and are reached there. */
  readonly direct?: boolean
  /** Instead of the symbolic twin. */
  readonly crypto?: GroupCrypto
}

/** Lines of the log that a failure shows. */
const LOG_LINES_SHOWN = 40
/** Between two looks at a condition. */
const STEP_MS = 500
/** Liveness after everything is healed: the longest time-out, then the longest retry, then some. */
const SETTLE_MS = 240_000

export class World {
  readonly seed: number
  readonly isDirect: boolean
  readonly dice: Dice
  readonly random
  readonly clock = new FakeClock()
  /** What the relay takes for the time. */
  readonly relayClock = new SkewedClock(this.clock)
  readonly networks: MemoryNetworks
  readonly crypto: GroupCrypto
  readonly log: Log
  readonly lines: string[] = []
  readonly people: Person[] = []
  readonly relayId: RelayId
  /** Every disk that the relay has had; the last is the one it has. */
  readonly relayDisks = [new MemoryDisk()]
  relay: Relay | undefined
  readonly #relaySeed: Uint8Array
  readonly #limits: RelayLimits
  #relayNetwork: ReturnType<MemoryNetworks['join']> | undefined
  #failure: unknown

  constructor(seed: number, options: WorldOptions = {}) {
    this.seed = seed
    this.isDirect = options.direct ?? false
    this.dice = createDice(seed)
    this.random = randomOf(this.dice)
    this.log = createLog({
      level: 'debug',
      now: () => this.clock.now(),
      write: (line) => void this.lines.push(line)
    })
    this.networks = createMemoryNetworks({ clock: this.clock, ...options })
    this.crypto =
      options.crypto ?? createSymbolicCrypto({ primitives, seed: this.random.bytes(32) })
    this.#relaySeed = this.random.bytes(32)
    this.#limits = { ...DEFAULT_CONFIG.limits, ...options.limits }
    this.relayId = relayIdOf(primitives.keyPair(this.#relaySeed).publicKey)
  }

  /** What a relay that lies signs with. */
  get relayKeys(): KeyPair {
    return primitives.keyPair(this.#relaySeed)
  }

  get relayDisk(): MemoryDisk {
    return this.relayDisks.at(-1) as MemoryDisk
  }

  set relayDisk(disk: MemoryDisk) {
    this.relayDisks.push(disk)
  }

  /** A world with a relay and these people, all running. */
  static async of(seed: number, names: readonly string[], options?: WorldOptions): Promise<World> {
    const world = new World(seed, options)
    await world.startRelay()
    for (const name of names) await world.join(name).start()
    await world.run(1_000)
    return world
  }

  join(name: string, options?: PersonOptions): Person {
    const person = new Person(this, name, options)
    this.people.push(person)
    return person
  }

  /** Where the relay is now; account logs say where it was. */
  relayAddresses(): readonly string[] {
    return this.#relayNetwork?.addresses() ?? []
  }

  async startRelay(): Promise<void> {
    const { publicKey } = primitives.keyPair(this.#relaySeed)
    const { relayClock: clock, random, log } = this
    this.relay = await createRelay({
      store: openMemoryStore(this.relayDisk),
      network: async () => {
        this.#relayNetwork = this.networks.join({ publicKey })
        return this.#relayNetwork
      },
      privateKey: this.#relaySeed,
      primitives,
      clock,
      random,
      log,
      metrics: createMetrics(),
      config: { ...DEFAULT_CONFIG, registration: 'open', limits: this.#limits },
      invite: ''
    })
  }

  async stopRelay(): Promise<void> {
    const { relay } = this
    this.relay = undefined
    await relay?.stop()
  }

  /** As a power failure: nothing more leaves, and what was not synced is gone. */
  async crashRelay(): Promise<void> {
    const { relay } = this
    this.relay = undefined
    const left = this.#relayNetwork?.stop()
    this.relayDisk.crash()
    await left
    await relay?.stop().catch(() => undefined)
  }

  /** What is on the relay's disk now. Starts the relay anew. */
  async backUpRelay(): Promise<MemoryDisk> {
    await this.stopRelay()
    const copy = new MemoryDisk()
    const [from, to] = [openMemoryStore(this.relayDisk), openMemoryStore(copy)]
    const all = { from: new Uint8Array(0), to: new Uint8Array(64).fill(255) }
    for await (const [key, value] of from.scan(all)) await to.commit([{ type: 'put', key, value }])
    await Promise.all([from.close(), to.close()])
    await this.startRelay()
    return copy
  }

  /** The connection between a person and the relay, or another person, is lost and cannot be made. */
  cut(person: Person, other?: Person): void {
    this.networks.cut(...this.#ends(person, other))
  }

  /** Undoes `cut` and `freeze`. */
  heal(person: Person, other?: Person): void {
    this.networks.heal(...this.#ends(person, other))
  }

  /** Bytes between the two wait, and nobody is told. */
  freeze(person: Person, other?: Person): void {
    this.networks.hold(...this.#ends(person, other))
  }

  #ends(person: Person, other: Person | undefined): [DeviceId, DeviceId] {
    return [person.device, other?.device ?? (this.relayId as string as DeviceId)]
  }

  async run(ms: number): Promise<void> {
    await this.clock.advance(ms)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Lets time pass until the condition holds; fails with the seed when it does not come to hold. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    maxMs = SETTLE_MS
  ): Promise<void> {
    for (let waited = 0; waited <= maxMs; waited += STEP_MS) {
      if (await holds()) return
      await this.run(STEP_MS)
    }
    const seen = await Promise.all(this.people.map((person) => person.describe()))
    throw new Error([`seed ${this.seed}: never ${what}`, ...seen, this.lastLines()].join('\n'))
  }

  fail(error: unknown): void {
    this.#failure ??= error
  }

  lastLines(): string {
    return this.lines.slice(-LOG_LINES_SHOWN).join('\n')
  }

  /** Ends everything; what a test has stopped already stays stopped. */
  async end(): Promise<void> {
    for (const person of this.people) if (person.isRunning) await person.stop()
    await this.stopRelay()
  }
}
