// Everything that can go wrong at any moment, rolled from the seed, and the end of it.
import type { DeviceId } from '@kith/protocols'
import type { Dice } from '../storm/dice.ts'
import type { SimRelay } from './relay.ts'
import type { World } from './world.ts'

/** Milliseconds between two faults. */
const PAUSE_MS = [50, 1_500] as const
/** How long a node stays down, and how long its disk is slow. */
const DOWN_MS = [10, 6_000] as const
const SLOW_SYNC_MS = [200, 3_000] as const
const USUAL_SYNC_MS = [1, 12] as const
/** A clock that was set wrongly by less than an hour, or was right before. */
const JUMP_MS = 3_600_000

/** One in so many promises is followed by a crash. */
const PROMISE_ONE_IN = 16

interface Place {
  readonly name: string
  readonly id: DeviceId
}

export class Faults {
  readonly #world: World
  readonly #dice: Dice
  #isOver = false

  constructor(world: World) {
    this.#world = world
    this.#dice = world.dice('faults')
  }

  /** From now on, until `end`. */
  begin(): void {
    this.#world.onState = (state) => this.#strikeAt(state)
    this.#next()
  }

  #next(): void {
    this.#world.scheduler.schedule(this.#dice.roll(...PAUSE_MS), () => {
      if (this.#isOver) return
      this.#strike()
      this.#next()
    })
  }

  /** Nothing fails any more, and everybody runs. */
  end(): void {
    this.#isOver = true
    const { network, relays, devices } = this.#world
    for (const { disk } of [...relays, ...devices]) disk.syncMs = USUAL_SYNC_MS
    const places = this.#places()
    for (const [at, a] of places.entries()) {
      for (const b of places.slice(at + 1)) network.heal(a.id, b.id)
    }
    for (const node of [...relays, ...devices]) {
      if (!node.isRunning) this.#world.spawn(node.start())
    }
  }

  #places(): readonly Place[] {
    const { relays, devices } = this.#world
    return [...relays.map(({ name, id }) => ({ name, id: id as string as DeviceId })), ...devices]
  }

  /** Two different nodes; one of them is the first relay more often than chance would have it. */
  #two(): readonly [Place, Place] {
    const places = this.#places()
    const first = this.#dice.oneIn(2) ? 0 : this.#dice.roll(1, places.length - 1)
    const step = this.#dice.roll(1, places.length - 1)
    return [places[first] as Place, places[(first + step) % places.length] as Place]
  }

  #strike(): void {
    const { network } = this.#world
    const dice = this.#dice
    const [a, b] = this.#two()
    const happens = [
      [10, `cut ${a.name} ${b.name}`, () => network.cut(a.id, b.id)],
      [8, `hold ${a.name} ${b.name}`, () => network.hold(a.id, b.id)],
      [26, `heal ${a.name} ${b.name}`, () => network.heal(a.id, b.id)],
      [6, `slow ${a.name} ${b.name}`, () => network.slow(a.id, b.id)],
      [8, `double ${a.name} ${b.name}`, () => network.double(a.id, b.id)],
      [8, 'crash a device', () => this.#crashDevice()],
      [4, 'crash the relay', () => this.#crash(this.#relay())],
      [6, 'slow disk', () => this.#slowDisk()],
      [4, 'clock jump', () => this.#jump()]
    ] as const
    let roll = dice.roll(
      1,
      happens.reduce((sum, [weight]) => sum + weight, 0)
    )
    for (const [weight, name, act] of happens) {
      roll -= weight
      if (roll > 0) continue
      this.#world.note(`fault ${name}`)
      act()
      return
    }
  }

  /** The moment after a promise is the worst for losing power: what was said must be on the disk already. */
  #strikeAt(state: string): void {
    if (this.#isOver || !this.#dice.oneIn(PROMISE_ONE_IN)) return
    this.#world.note(`fault at ${state}`)
    if (state === 'accepted') this.#crash(this.#relay())
    else this.#crashDevice()
  }

  #relay(): SimRelay {
    const { relays } = this.#world
    const at = relays.length > 1 ? this.#dice.roll(0, relays.length - 1) : 0
    return relays[at] as SimRelay
  }

  #crashDevice(): void {
    const { devices } = this.#world
    const device = devices[this.#dice.roll(0, devices.length - 1)]
    if (device !== undefined) this.#crash(device)
  }

  #crash(node: { isRunning: boolean; crash(): void; start(): Promise<void> }): void {
    if (node.isRunning) node.crash()
    this.#world.scheduler.schedule(this.#dice.roll(...DOWN_MS), () =>
      this.#world.spawn(node.start())
    )
  }

  #slowDisk(): void {
    const nodes = [...this.#world.relays, ...this.#world.devices]
    const node = nodes[this.#dice.roll(0, nodes.length - 1)]
    if (node === undefined) return
    this.#world.count('slow disk')
    node.disk.syncMs = SLOW_SYNC_MS
    this.#world.scheduler.schedule(this.#dice.roll(...DOWN_MS), () => {
      node.disk.syncMs = USUAL_SYNC_MS
    })
  }

  #jump(): void {
    const nodes = [...this.#world.relays, ...this.#world.devices]
    const node = nodes[this.#dice.roll(0, nodes.length - 1)]
    this.#world.count('clock jump')
    node?.clock.jump(this.#dice.roll(-JUMP_MS, JUMP_MS))
  }
}
