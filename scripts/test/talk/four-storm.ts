// A storm over two accounts with two devices each and their relay, rolled from the seed.
import { type Four, fourDevices } from './four.ts'
import type { Person } from './person.ts'

const STEPS = 120

export interface FourStorm extends Four {
  readonly devices: readonly Person[]
  /** How often each thing happened. */
  readonly counts: Map<string, number>
}

/** The contact that a device of this storm writes to. */
export const otherOf = ({ phone }: Four, person: Person): string =>
  person.account === phone.account ? 'bob' : 'alice'

/** Rolls the storm and leaves everything healed and running. */
export async function rollFourStorm(seed: number, direct: boolean): Promise<FourStorm> {
  const four = await fourDevices(seed, {
    chunkBytes: seed % 3 === 0 ? 7 : 4_096,
    latencyMs: (seed % 4) * 15,
    direct
  })
  const { world, phone, laptop, bob, tablet } = four
  const storm: FourStorm = { ...four, devices: [phone, laptop, bob, tablet], counts: new Map() }
  for (let step = 0; step < STEPS; step += 1) {
    await rollStep(storm)
    await world.run(world.dice.roll(0, 400))
  }
  await heal(storm)
  return storm
}

async function rollStep(storm: FourStorm): Promise<void> {
  const { world } = storm
  const { dice } = world
  const person = pick(storm)
  const other = dice.oneIn(2) ? undefined : pick(storm)
  const end = other === person ? undefined : other
  const disk = dice.oneIn(4) ? world.relayDisk : person.disk
  const happens = [
    [40, 'compose', () => compose(storm, person)],
    [8, 'cut', () => world.cut(person, end)],
    [8, 'freeze', () => world.freeze(person, end)],
    [20, 'heal', () => world.heal(person, end)],
    [2, 'let time pass', () => world.run(dice.roll(1, 60) * 1_000)],
    [4, 'crash the relay', () => restartRelay(storm, 'crash')],
    [3, 'stop the relay', () => restartRelay(storm, 'stop')],
    [6, 'crash a device', () => restart(storm, person, 'crash')],
    [3, 'stop a device', () => restart(storm, person, 'stop')],
    [14, 'hold syncs', () => disk.hold()],
    [14, 'let syncs go', () => disk.release()],
    [4, 'let every disk go', () => releaseAll(storm)],
    [5, 'let a clock jump', () => world.clock.shiftWall(dice.roll(-5_000, 5_000))]
  ] as const
  const sum = happens.reduce((weights, [weight]) => weights + weight, 0)
  let roll = dice.roll(1, sum)
  for (const [weight, name, act] of happens) {
    roll -= weight
    if (roll > 0) continue
    storm.counts.set(name, (storm.counts.get(name) ?? 0) + 1)
    await act()
    return
  }
}

function pick({ world, devices }: FourStorm): Person {
  return devices[world.dice.roll(0, devices.length - 1)] as Person
}

/** Some messages at once; whoever was asleep is woken first. */
async function compose(storm: FourStorm, person: Person): Promise<void> {
  if (!person.isRunning) await wake(person)
  for (let count = storm.world.dice.roll(1, 4); count > 0; count -= 1) {
    // Not awaited: its sync may be held.
    void person.send(otherOf(storm, person), `storm ${person.name} ${person.sent.length}`)
  }
}

async function restart({ world }: FourStorm, person: Person, how: 'crash' | 'stop'): Promise<void> {
  if (!person.isRunning) return wake(person)
  // A held sync would keep an orderly stop waiting.
  if (how === 'stop') person.disk.release()
  await person[how]()
  await world.run(world.dice.roll(0, 2_000))
  if (world.dice.oneIn(2) && !person.isRunning) await wake(person)
}

/** Starting waits for the disk, and nobody would let a held one go meanwhile. */
async function wake(person: Person): Promise<void> {
  person.disk.release()
  await person.start()
}

async function restartRelay({ world }: FourStorm, how: 'crash' | 'stop'): Promise<void> {
  if (world.relay === undefined) return world.startRelay()
  if (how === 'stop') {
    world.relayDisk.release()
    await world.stopRelay()
  } else await world.crashRelay()
  await world.run(world.dice.roll(0, 2_000))
  if (world.dice.oneIn(2) && world.relay === undefined) await world.startRelay()
}

function releaseAll({ world, devices }: FourStorm): void {
  for (const disk of [world.relayDisk, ...devices.map((one) => one.disk)]) disk.release()
}

async function heal(storm: FourStorm): Promise<void> {
  const { world, devices } = storm
  releaseAll(storm)
  if (world.relay === undefined) await world.startRelay()
  for (const one of devices) {
    world.heal(one)
    for (const other of devices) if (other !== one) world.heal(one, other)
    if (!one.isRunning) await one.start()
  }
  for (const one of devices) await one.send(otherOf(storm, one), `storm ${one.name} at the end`)
}
