// What people do: they write at any moment from any of their devices, and look at what they have.
import type { Dice } from '../storm/dice.ts'
import { look } from './checks.ts'
import type { SimDevice } from './device.ts'
import type { World } from './world.ts'

/** Milliseconds between two acts. */
const PAUSE_MS = [50, 2_800] as const
const TEXTS_AT_ONCE = 3
/** So many times the word, so that sizes differ. */
const WORDS_MAX = 40

export class Workload {
  readonly #world: World
  readonly #dice: Dice
  #isOver = false

  constructor(world: World) {
    this.#world = world
    this.#dice = world.dice('workload')
  }

  begin(): void {
    this.#world.scheduler.schedule(this.#dice.roll(...PAUSE_MS), () => {
      if (this.#isOver) return
      this.#act()
      this.begin()
    })
  }

  end(): void {
    this.#isOver = true
  }

  #act(): void {
    const { devices } = this.#world
    const device = devices[this.#dice.roll(0, devices.length - 1)]
    if (device?.messenger === undefined) return
    if (this.#dice.oneIn(3)) this.#world.spawn(look(this.#world, device))
    else write(this.#world, device, this.#dice.roll(1, TEXTS_AT_ONCE), this.#dice)
  }
}

function write(world: World, device: SimDevice, count: number, dice: Dice): void {
  const peer = world.accounts.find((account) => account !== device.account)
  if (peer === undefined) return
  for (let left = count; left > 0; left -= 1) {
    const long = ' long'.repeat(dice.roll(0, WORDS_MAX))
    device.send(peer, `${device.name} ${device.sent.length}${long}`)
    world.count('text')
  }
}

/** One more text from every device, when nothing fails any more. */
export function writeLast(world: World): void {
  const dice = world.dice('last')
  for (const device of world.devices) write(world, device, 1, dice)
}
