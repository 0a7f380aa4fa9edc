// A storm over two accounts with two devices each and their relay: everything that can go wrong at any moment, rolled
// from the seed. Some storms begin before the first contact.
import { MemoryDisk } from '@kith/node/kernel'
import { fourDevices, fourStrangers } from './four.ts'
import type { Person } from './person.ts'
import { watchPromises } from './promises.ts'
import { World, type WorldOptions } from './world.ts'

const STEPS = 120

export interface StormOptions {
  /** The devices reach each other, too. */
  readonly direct?: boolean
  /** The relay loses its store, or gets an old backup back, now and then. */
  readonly losesStore?: boolean
  /** One device an account instead of two. */
  readonly isAlone?: boolean
}

export interface Storm {
  readonly world: World
  readonly losesStore: boolean
  /** Nobody had met anybody when it began. */
  readonly isFirstContact: boolean
  readonly devices: readonly Person[]
  /** How often each thing happened. */
  readonly counts: Map<string, number>
}

/** The contact that a device of this storm writes to. */
export const otherOf = ({ devices }: Pick<Storm, 'devices'>, person: Person): string =>
  person.account === devices[0]?.account ? 'bob' : 'alice'

/** Rolls the storm and leaves everything healed and running. */
export async function rollStorm(
  seed: number,
  { direct = false, losesStore = false, isAlone = false }: StormOptions = {}
): Promise<Storm> {
  const isFirstContact = seed % 4 === 0
  const four = await (isAlone ? two : isFirstContact ? fourStrangers : fourDevices)(seed, {
    chunkBytes: seed % 3 === 0 ? 7 : 4_096,
    latencyMs: (seed % 4) * 15,
    direct
  })
  const { world, phone, bob } = four
  const devices = world.people
  const storm: Storm = { world, isFirstContact, losesStore, devices, counts: new Map() }
  // Only one of the four has heard of the other side.
  if (isFirstContact || isAlone) await phone.api.addContact({ link: bob.link })
  crashOnEvents(storm)
  watchPromises(world, devices)
  for (let step = 0; step < STEPS; step += 1) {
    await rollStep(storm)
    await world.run(world.dice.roll(0, 400))
  }
  await heal(storm)
  return storm
}

/** Two accounts with one device each that have not met. */
async function two(seed: number, options: WorldOptions) {
  const world = await World.of(seed, ['alice', 'bob'], options)
  const [phone, bob] = world.people as [Person, Person]
  return { world, phone, bob }
}

async function rollStep(storm: Storm): Promise<void> {
  const { world, losesStore } = storm
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
    [
      losesStore ? 2 : 0,
      'lose the store of the relay',
      () => replaceStore(storm, new MemoryDisk())
    ],
    [losesStore ? 2 : 0, 'put a backup back', () => putBack(storm)],
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

function pick({ world, devices }: Storm): Person {
  return devices[world.dice.roll(0, devices.length - 1)] as Person
}

/** Some messages at once; whoever was asleep is woken first. */
async function compose(storm: Storm, person: Person): Promise<void> {
  if (!person.isRunning) await wake(person)
  const who = otherOf(storm, person)
  if (!(await person.api.listContacts()).some(({ name }) => name === who)) {
    // Not awaited: its sync may be held. Without a request there is nothing to accept.
    const { account } = storm.devices.find((one) => one.account !== person.account) as Person
    person.api.acceptRequest({ who: account, name: who }).catch(() => undefined)
    return
  }
  for (let count = storm.world.dice.roll(1, 4); count > 0; count -= 1) {
    const long = ' long'.repeat(storm.world.dice.roll(0, 60))
    // Not awaited: its sync may be held.
    void person.send(who, `storm ${person.name} ${person.sent.length}${long}`)
  }
}

async function restart({ world }: Storm, person: Person, how: 'crash' | 'stop'): Promise<void> {
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

async function restartRelay({ world }: Storm, how: 'crash' | 'stop'): Promise<void> {
  if (world.relay === undefined) return world.startRelay()
  if (how === 'stop') {
    world.relayDisk.release()
    await world.stopRelay()
  } else await world.crashRelay()
  await world.run(world.dice.roll(0, 2_000))
  if (world.dice.oneIn(2) && world.relay === undefined) await world.startRelay()
}

/** The relay's key stays; its devices have to notice. */
async function replaceStore({ world }: Storm, disk: MemoryDisk): Promise<void> {
  world.relayDisk.release()
  if (world.relay !== undefined) await world.stopRelay()
  world.relayDisk = disk
  await world.startRelay()
}

/** What was on the relay's disk some time ago takes the place of what is on it now. */
async function putBack(storm: Storm): Promise<void> {
  const { world } = storm
  world.relayDisk.release()
  const backup = await world.backUpRelay()
  await world.run(world.dice.roll(0, 3_000))
  await compose(storm, pick(storm))
  await world.run(world.dice.roll(0, 3_000))
  await replaceStore(storm, backup)
}

/** The moment after a promise is the worst for losing power: what was said must be on the disk already. */
function crashOnEvents({ world, devices, counts }: Storm): void {
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  for (const person of devices) {
    person.onEvent = (event) => {
      if (event.type !== 'state' || !world.dice.oneIn(12)) return
      const { state } = event.message
      if (state === 'accepted' && world.relay !== undefined) {
        count('crash at accepted')
        void world.crashRelay()
      }
      if (state !== 'delivered') return
      const others = devices.filter((one) => one.isRunning && one.account !== person.account)
      if (others.length === 0) return
      count('crash at delivered')
      void others[world.dice.roll(0, others.length - 1)]?.crash()
    }
  }
}

function releaseAll({ world, devices }: Storm): void {
  for (const disk of [world.relayDisk, ...devices.map((one) => one.disk)]) disk.release()
}

async function heal(storm: Storm): Promise<void> {
  const { world, devices } = storm
  for (const one of devices) one.onEvent = () => {}
  await world.run(0)
  releaseAll(storm)
  if (world.relay === undefined) await world.startRelay()
  for (const one of devices) {
    world.heal(one)
    for (const other of devices) if (other !== one) world.heal(one, other)
    if (!one.isRunning) await one.start()
  }
  for (const one of devices) {
    const who = otherOf(storm, one)
    const other = devices.find(({ account }) => account !== one.account) as Person
    // Some storms end before a first contact, and contacts are each device's own.
    await one.api.addContact({ link: other.link, name: who })
    await one.send(who, `storm ${one.name} at the end`)
  }
}
