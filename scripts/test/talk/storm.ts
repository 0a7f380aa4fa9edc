// A storm over two people and their relay: everything that can go wrong at any moment, rolled from the seed.
import { MemoryDisk } from '@kith/node/kernel'
import type { Person } from './person.ts'
import { watchPromises } from './promises.ts'
import { World } from './world.ts'

const STEPS = 150
export interface Storm {
  readonly world: World
  readonly alice: Person
  readonly bob: Person
  /** How often each thing happened. */
  readonly counts: Map<string, number>
}

export interface StormOptions {
  /** The devices reach each other, too. */
  readonly direct?: boolean
}

/** Rolls the storm and leaves everything healed and running. */
export async function rollStorm(
  seed: number,
  { direct = false }: StormOptions = {}
): Promise<Storm> {
  const world = await World.of(seed, ['alice', 'bob'], {
    chunkBytes: seed % 3 === 0 ? 7 : 4_096,
    latencyMs: (seed % 4) * 15,
    direct
  })
  const [alice, bob] = world.people as [Person, Person]
  await alice.api.addContact({ link: bob.link })
  if (seed % 2 === 0) await bob.api.addContact({ link: alice.link, name: 'alice' })
  const storm: Storm = { world, alice, bob, counts: new Map() }
  crashOnEvents(storm)
  watchPromises(world, alice, bob)
  for (let step = 0; step < STEPS; step += 1) {
    await rollStep(storm)
    await world.run(world.dice.roll(0, 400))
  }
  await heal(storm)
  return storm
}

async function rollStep(storm: Storm): Promise<void> {
  const { world, alice, bob } = storm
  const { dice } = world
  const person = dice.oneIn(2) ? alice : bob
  const happens = [
    [40, 'compose', () => compose(storm, person)],
    [8, 'cut', () => world.cut(person, otherEnd(storm, person))],
    [8, 'freeze', () => world.freeze(person, otherEnd(storm, person))],
    [16, 'heal', () => world.heal(person, otherEnd(storm, person))],
    [2, 'let time pass', () => world.run(dice.roll(1, 60) * 1_000)],
    [4, 'crash the relay', () => restartRelay(storm, 'crash')],
    [3, 'stop the relay', () => restartRelay(storm, 'stop')],
    [5, 'crash a person', () => restart(storm, person, 'crash')],
    [3, 'stop a person', () => restart(storm, person, 'stop')],
    [14, 'hold syncs', () => void (dice.oneIn(3) ? world.relayDisk : person.disk).hold()],
    [12, 'let syncs go', () => void (dice.oneIn(3) ? world.relayDisk : person.disk).release()],
    [2, 'lose the store of the relay', () => replaceStore(storm, new MemoryDisk())],
    [2, 'put a backup back', () => putBack(storm)],
    [5, 'let a clock jump', () => world.clock.shiftWall(dice.roll(-5_000, 5_000))]
  ] as const
  let roll = dice.roll(
    1,
    happens.reduce((sum, [weight]) => sum + weight, 0)
  )
  for (const [weight, name, act] of happens) {
    roll -= weight
    if (roll > 0) continue
    storm.counts.set(name, (storm.counts.get(name) ?? 0) + 1)
    await act()
    return
  }
}

/** The relay, or the other person. */
function otherEnd({ world, alice, bob }: Storm, person: Person): Person | undefined {
  if (world.dice.oneIn(2)) return undefined
  return person === alice ? bob : alice
}

/** Some messages at once; whoever was asleep is woken first. */
async function compose({ world, alice, bob }: Storm, person: Person): Promise<void> {
  if (!person.isRunning) await wake(person)
  const other = person === alice ? bob : alice
  const who = (await person.api.listContacts()).find(({ account }) => account === other.account)
  if (who === undefined) {
    // Not awaited: its sync may be held. Without a request there is nothing to accept.
    person.api.acceptRequest({ who: other.account }).catch(() => undefined)
    return
  }
  for (let count = world.dice.roll(1, 4); count > 0; count -= 1) {
    const text = `${person.name} ${person.sent.length}${' long'.repeat(world.dice.roll(0, 60))}`
    // Not awaited: its sync may be held.
    void person.send(who.name, text)
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
  await compose(storm, world.dice.oneIn(2) ? storm.alice : storm.bob)
  await world.run(world.dice.roll(0, 3_000))
  await replaceStore(storm, backup)
}

/** The moment after a promise is the worst for losing power: what was said must be on the disk already. */
function crashOnEvents(storm: Storm): void {
  const { world, alice, bob, counts } = storm
  for (const person of [alice, bob]) {
    person.onEvent = (event) => {
      if (event.type !== 'state' || !world.dice.oneIn(12)) return
      const { state } = event.message
      if (state === 'accepted' && world.relay !== undefined) {
        counts.set('crash at accepted', (counts.get('crash at accepted') ?? 0) + 1)
        void world.crashRelay()
      }
      const other = person === alice ? bob : alice
      if (state === 'delivered' && other.isRunning) {
        counts.set('crash at delivered', (counts.get('crash at delivered') ?? 0) + 1)
        void other.crash()
      }
    }
  }
}

async function heal({ world, alice, bob }: Storm): Promise<void> {
  for (const person of [alice, bob]) person.onEvent = () => {}
  await world.run(0)
  for (const disk of [world.relayDisk, alice.disk, bob.disk]) disk.release()
  if (world.relay === undefined) await world.startRelay()
  for (const person of [alice, bob]) {
    world.heal(person)
    world.heal(person, person === alice ? bob : alice)
    if (!person.isRunning) await person.start()
    // Some storms end before a first contact.
    const other = person === alice ? bob : alice
    await person.api.addContact({ link: other.link, name: other.name })
    await person.send(other.name, `${person.name} at the end`)
  }
}
