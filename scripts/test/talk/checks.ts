// What must be true of a talk once everything is healed, however it went before.
import type { LoggedEvent } from '@kith/node'
import { expect } from 'vitest'
import type { Person } from './person.ts'
import type { World } from './world.ts'

/** Waits until nothing is under way between two people who are both running. */
export async function settle(world: World, a: Person, b: Person): Promise<void> {
  await world.until('delivered', async () => {
    for (const [one, other] of [
      [a, b],
      [b, a]
    ] as const) {
      const status = await one.api.status()
      if (status.queued > 0 || status.gaps.length > 0) return false
      const listed = await one.messages(other.name)
      const isDone = listed.every(({ state }) => state === 'delivered' || state === 'received')
      if (!isDone) return false
    }
    const [mine, theirs] = [await a.messages(b.name), await b.messages(a.name)]
    return mine.length === theirs.length
  })
}

/** Exactly once, whole, in order, alike on both sides. Both must be running. */
export async function requireSameTalk(world: World, a: Person, b: Person): Promise<void> {
  const about = `seed ${world.seed}`
  const [mine, theirs] = [await a.texts(b.name), await b.texts(a.name)]
  expect(mine, about).toEqual(theirs)
  expect(new Set(mine).size, `${about}: shown twice`).toBe(mine.length)
  for (const person of [a, b]) {
    const taken = person.sent.flatMap(({ text, view }) => (view === undefined ? [] : [text]))
    expect(
      mine.filter((text) => taken.includes(text)),
      `${about}: what ${person.name} sent`
    ).toEqual(taken)
    const known = new Set([...a.sent, ...b.sent].map(({ text }) => text))
    expect(
      mine.filter((text) => !known.has(text)),
      `${about}: said by nobody`
    ).toEqual([])
    requireShownOnce(world, person)
    await requireLogged(world, person, person === a ? b : a)
  }
}

/** Whatever is listed was written down as an event, once, and so was how far the own messages came. */
async function requireLogged(world: World, person: Person, other: Person): Promise<void> {
  const about = `seed ${world.seed}: events of ${person.name}`
  const logged: LoggedEvent[] = []
  for (let more = true; more; ) {
    const after = logged.at(-1)?.number ?? 0
    const { events, newest } = await person.api.readEvents({ after, limit: 1_000 })
    logged.push(...events)
    more = events.length > 0 && (logged.at(-1)?.number ?? 0) < newest
  }
  expect(
    logged.map(({ number }) => number),
    about
  ).toEqual(logged.map((_, index) => index + 1))
  const told = logged.flatMap(({ event }) =>
    event.type === 'message' ? [event.message.local] : []
  )
  expect(new Set(told).size, `${about}: one twice`).toBe(told.length)
  const messages = await person.messages(other.name)
  expect(
    messages.filter(({ local }) => !told.includes(local)),
    `${about}: not written down`
  ).toEqual([])
  const delivered = new Set(
    logged.flatMap(({ event }) =>
      event.type === 'state' && event.message.state === 'delivered' ? [event.message.local] : []
    )
  )
  const own = person.sent.flatMap(({ view }) => (view === undefined ? [] : [view.local]))
  const undelivered = messages.filter(
    ({ local, state }) => own.includes(local) && state === 'delivered' && !delivered.has(local)
  )
  expect(undelivered, `${about}: delivery not written down`).toEqual([])
}

/** No run of the device, and no two runs together, told of one message twice. */
export function requireShownOnce(world: World, person: Person): void {
  const shown = person.eventsOf('message').map(({ message }) => message)
  const received = shown.filter(({ outgoing }) => !outgoing).map(({ id }) => id)
  expect(new Set(received).size, `seed ${world.seed}: ${person.name} was told twice`).toBe(
    received.length
  )
}

/** Nothing is left behind on disk. Stops the person. */
export async function requireNothingWaits(world: World, person: Person): Promise<void> {
  if (person.isRunning) await person.stop()
  const about = `seed ${world.seed}: ${person.name}`
  expect(await person.records('delivery/outbox'), `${about} outbox`).toBe(0)
  expect(await person.records('delivery/waiting'), `${about} waiting`).toBe(0)
}
