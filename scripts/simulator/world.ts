// Accounts with two devices each, their relay, and everything between them, in virtual time. Whatever happens follows
// from the seed; a broken promise ends the run with the seed, the moment and the last lines of the trace.
import type { GroupCrypto, NodeEvent } from '@kith/node'
import type { WrapStep } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { createSymbolicCrypto, type Input } from '@kith/node/testing'
import type { Dice } from '../storm/dice.ts'
import { Account } from './accounts.ts'
import { diceFor, randomOf } from './chance.ts'
import { checkStep, checkTold } from './checks.ts'
import { type DeliveryStep, SimDevice } from './device.ts'
import { SimDisk } from './disk.ts'
import { Ledger } from './ledger.ts'
import { SimNetwork } from './network.ts'
import { symbolicPrimitives as primitives } from './primitives.ts'
import { SimRelay } from './relay.ts'
import { Scheduler } from './scheduler.ts'
import { lineOf } from './step-line.ts'
import { Trace } from './trace.ts'

/** In one world of so many, every account has two homes. */
const TWO_RELAYS_ONE_IN = 3

export interface WorldOptions {
  /** Breaks the delivery step of a device: only to see a check find it. */
  readonly breakStep?: (device: string) => WrapStep | undefined
  /** The disk of this node answers before it has synced: only to see a check find it. */
  readonly lyingDisk?: string
}

/** A promise that did not hold, with everything that led to it. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  readonly trace: Trace

  constructor(trace: Trace, message: string) {
    super(message)
    this.trace = trace
  }
}

export class World {
  readonly seed: number
  readonly options: WorldOptions
  readonly trace = new Trace()
  readonly counts = new Map<string, number>()
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly crypto: GroupCrypto
  /** The homes of every account, its sequencer first. */
  readonly relays: readonly SimRelay[]
  readonly accounts: Account[] = []
  readonly devices: SimDevice[] = []
  readonly ledger = new Ledger()
  /** Called when a device has said what became of a message. */
  onState: (state: string) => void = () => {}
  #failure: unknown

  constructor(seed: number, options: WorldOptions = {}) {
    this.seed = seed
    this.options = options
    this.scheduler = new Scheduler(this.dice('ties'))
    this.network = new SimNetwork({
      scheduler: this.scheduler,
      dice: (purpose) => this.dice(purpose),
      trace: (line) => this.note(line),
      count: (event) => this.count(event)
    })
    const crypto = randomOf(this.dice('crypto')).bytes(32)
    this.crypto = createSymbolicCrypto({ primitives, seed: crypto })
    const isDouble = this.dice('relays').oneIn(TWO_RELAYS_ONE_IN)
    this.relays = (isDouble ? ['relay', 'relay-2'] : ['relay']).map(
      (name) => new SimRelay(this, name)
    )
  }

  dice(purpose: string): Dice {
    return diceFor(this.seed, purpose)
  }

  addressOf(name: string): string {
    const [a = 0, b = 0] = nodePrimitives.sha256(new TextEncoder().encode(name))
    return `/ip4/10.0.${a}.${b}/tcp/4001`
  }

  createDisk(name: string): SimDisk {
    const disk = new SimDisk({
      scheduler: this.scheduler,
      dice: this.dice(`${name} disk`),
      onSync: (batches, bytes) => this.note(`${name} synced ${batches} batches, ${bytes} bytes`)
    })
    disk.liesAboutSyncs = this.options.lyingDisk === name
    return disk
  }

  createAccount(name: string): Account {
    const homes = this.relays.map((relay) => ({
      relay: relay.id,
      addresses: [this.addressOf(relay.name)]
    }))
    const account = new Account({ name, dice: this.dice(`${name} account`), homes })
    this.accounts.push(account)
    return account
  }

  /** A further device of the account, not running yet. */
  createDevice(account: Account, name: string): SimDevice {
    const device = new SimDevice(this, { account, name })
    account.add(device.keys)
    this.devices.push(device)
    return device
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  note(line: string): void {
    this.trace.add(`${this.scheduler.nowMs.toFixed(2)} ${line}`)
  }

  crashDisk(name: string, disk: SimDisk): void {
    const { lost, kept } = disk.crash()
    const isRelay = this.relays.some((relay) => relay.name === name)
    this.count(isRelay ? 'relay crash' : 'device crash')
    if (lost > 0) this.count('unsynced batch lost')
    if (kept > 0) this.count('unsynced batch kept')
    this.note(`${name} crashed, ${lost} batches lost, ${kept} kept`)
  }

  /** Every step of every machine. */
  traceStep(name: string, input: { type: string }, effects: readonly { type: string }[]): void {
    this.note(`${name} ${lineOf(input, effects)}`)
  }

  /** One step of a device's delivery has been made; its effects have not. */
  stepped(device: SimDevice, input: Input, step: DeliveryStep): void {
    this.traceStep(device.name, input, step.effects)
    this.count(`step ${input.type}`)
    device.state = step.state
    this.ledger.follow(input, step)
    this.#guard(() => checkStep(this, device, step))
  }

  /** A device shows or says something. */
  told(device: SimDevice, event: NodeEvent): void {
    this.#guard(() => checkTold(this, device, event))
    if (event.type === 'notice') this.note(`${device.name} says: ${event.text}`)
    if (event.type === 'state') this.onState(event.message.state)
  }

  /** Goes on by itself; what it rejects with ends the run. */
  spawn(work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => this.fail(error))
  }

  fail(error: unknown): void {
    this.#failure ??= error
  }

  /** A broken promise, with everything needed to see it again. */
  broken(check: string, what: string): BrokenPromise {
    const at = `${(this.scheduler.nowMs / 1_000).toFixed(3)} s`
    return new BrokenPromise(
      this.trace,
      `${check}: ${what} (seed ${this.seed}, at ${at})\n"npm run sim -- --seed ${this.seed}" runs it again. Its last steps:\n${this.trace.last()}`
    )
  }

  async run(ms: number): Promise<void> {
    await this.scheduler.run(ms, () => {
      if (this.#failure !== undefined) throw this.#failure
    })
    if (this.#failure !== undefined) throw this.#failure
  }

  #guard(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.fail(error)
    }
  }
}
