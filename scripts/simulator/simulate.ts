// One run: two accounts talk while everything fails, then everything heals, and all of it has to come to rest.
import type { MessageView } from '@kith/node'
import { look } from './checks.ts'
import { describeDevices } from './describe.ts'
import type { SimDevice } from './device.ts'
import { Faults } from './faults.ts'
import { forbidAmbient } from './guard.ts'
import { joinLate } from './join.ts'
import type { Trace } from './trace.ts'
import { Workload, writeLast } from './workload.ts'
import { World, type WorldOptions } from './world.ts'

const STORM_MS = 25_000
const GREETING_MS = 1_500
const LOOK_MS = 1_000
/** After the storm: a relay that was distrusted is left alone for 60 s, then come retries, each of up to 30 s. */
const SETTLE_MAX_MS = 240_000
/** L1: with nothing failing, whatever was accepted is delivered within this. */
const LIVELY_MAX_MS = 60_000
/** Receipts of receipts and lazy writes come to rest. */
const REST_MS = 15_000
/** One seed in so many has a device that joins in the storm. */
const LATE_ONE_IN = 3
const LATE_MS = [2_000, 18_000] as const

export interface Run {
  readonly hash: string
  readonly trace: Trace
  readonly counts: ReadonlyMap<string, number>
  readonly virtualMs: number
}

/** Throws with the check, the seed and the last steps when a promise is broken. */
export async function simulate(seed: number, options: WorldOptions = {}): Promise<Run> {
  const allow = forbidAmbient()
  const world = new World(seed, options)
  try {
    await new Storm(world).run()
    const { trace, counts, scheduler } = world
    return { hash: trace.hash, trace, counts, virtualMs: scheduler.nowMs }
  } finally {
    world.network.end()
    allow()
  }
}

class Storm {
  readonly #world: World
  /** Devices that have been there from the beginning: they must have everything. */
  #whole: readonly SimDevice[] = []

  constructor(world: World) {
    this.#world = world
  }

  async run(): Promise<void> {
    const world = this.#world
    await this.#begin()
    const [faults, workload] = [new Faults(world), new Workload(world)]
    faults.begin()
    workload.begin()
    await world.run(STORM_MS)
    workload.end()
    faults.end()
    await world.run(LOOK_MS)
    await this.#settle('after the storm', SETTLE_MAX_MS)
    writeLast(world)
    await world.run(LOOK_MS)
    await this.#settle('at the end', LIVELY_MAX_MS)
    await world.run(REST_MS)
    await this.#rest()
  }

  async #begin(): Promise<void> {
    const world = this.#world
    const dice = world.dice('people')
    const accounts = ['alice', 'bob'].map((name) => world.createAccount(name))
    const isLate = dice.oneIn(LATE_ONE_IN)
    for (const [index, account] of accounts.entries()) {
      world.createDevice(account, 'phone')
      if (index > 0 || !isLate) world.createDevice(account, 'laptop')
    }
    this.#whole = [...world.devices]
    for (const relay of world.relays) world.spawn(relay.start())
    if (world.relays.length > 1) world.count('two relays')
    await world.run(GREETING_MS)
    for (const device of world.devices) world.spawn(device.start())
    await world.run(GREETING_MS)
    for (const device of world.devices) {
      const peer = accounts.find((account) => account !== device.account)
      if (peer !== undefined) device.meet(peer)
    }
    await world.run(GREETING_MS)
    const [first] = world.devices
    if (!isLate || first === undefined) return
    world.scheduler.schedule(dice.roll(...LATE_MS), () =>
      world.spawn(joinLate(world, first, 'laptop'))
    )
  }

  /** Until everybody has everything and nothing is under way. */
  async #settle(when: string, maxMs: number): Promise<void> {
    const world = this.#world
    for (let waited = 0; waited < maxMs; waited += LOOK_MS) {
      if ((await this.#missing()) === undefined) return
      await world.run(LOOK_MS)
    }
    const missing = await this.#missing()
    if (missing === undefined) return
    // What is missing may be what another check stands for.
    for (const device of world.devices) await look(world, device)
    throw world.broken('L1', `${when}: ${missing}\n${describeDevices(world)}\n`)
  }

  /** What is not there yet, in words. */
  async #missing(): Promise<string | undefined> {
    const world = this.#world
    const texts = world.devices.flatMap(({ sent }) => sent.filter(({ taken }) => taken))
    for (const device of world.devices) {
      const messages = await this.#listOf(device)
      const waiting = messages.find(({ state }) => state === 'queued' || state === 'accepted')
      if (waiting !== undefined) {
        const { text, state, reason } = waiting
        return `${device.name} has "${text.slice(0, 30)}" ${state}, ${reason}`
      }
      const has = new Set(messages.map(({ text }) => text))
      const lacks = texts.find(({ text }) => !has.has(text))
      const isExpected = this.#whole.includes(device)
      if (isExpected && lacks !== undefined) return `${device.name} lacks "${lacks.text}"`
      const status = await device.messenger?.status()
      if (status === undefined) return `${device.name} does not run`
      if (status.queued > 0) return `${device.name} has ${status.queued} queued`
      if (isExpected && status.gaps.length > 0) return `${device.name} has gaps`
    }
    return undefined
  }

  async #listOf(device: SimDevice): Promise<readonly MessageView[]> {
    return (await device.list())?.messages ?? []
  }

  /** At rest: everybody has the same in the same order, and nothing waits on any disk. */
  async #rest(): Promise<void> {
    const world = this.#world
    const [first] = this.#whole
    if (first === undefined) return
    const order = (await this.#listOf(first)).map(({ id }) => id).join()
    for (const device of world.devices) {
      await look(world, device)
      const isExpected = this.#whole.includes(device)
      const own = (await this.#listOf(device)).map(({ id }) => id).join()
      if (isExpected && own !== order) throw world.broken('S5', `${device.name} has another order`)
      const left = device.state?.outbox.size ?? 0
      if (left > 0) {
        const where = describeDevices(world)
        throw world.broken('L3', `${device.name} has an outbox of ${left} at rest\n${where}\n`)
      }
      if ((await this.#groups(device)) > 1) world.count('both founded a group')
    }
    await world.run(0)
  }

  async #groups({ state }: SimDevice): Promise<number> {
    const groups = [...(state?.conversations.values() ?? [])].map(
      ({ incarnations }) => incarnations.length
    )
    return Math.max(0, ...groups)
  }
}
