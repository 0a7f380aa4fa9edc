// The event log: numbered without holes, seen in order once everything before is on disk, kept within a limit, read and
// confirmed by consumers that may die at any time.
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../src/api.ts'
import { EventLog, EventReader } from '../../src/events/index.ts'
import { MemoryDisk, openMemoryStore } from '../../src/kernel/store/memory.ts'
import type { Store } from '../../src/kernel/store/store.ts'
import { FakeClock } from '../../src/testing/index.ts'

const KEPT_MAX = 10

let disk: MemoryDisk
let clock: FakeClock
let store: Store
let log: EventLog
let reader: EventReader

async function open(): Promise<void> {
  await store?.close()
  store = openMemoryStore(disk)
  log = await EventLog.open({ store, clock }, KEPT_MAX)
  reader = await EventReader.open({ store, clock, log })
}

beforeEach(async () => {
  disk = new MemoryDisk()
  clock = new FakeClock()
  await open()
})

const notice = (text: string): NodeEvent => ({ type: 'notice', text })

async function happen(...texts: readonly string[]): Promise<void> {
  const entry = log.enter(texts.map(notice))
  await store.commit(entry.writes)
  entry.kept()
}

const numbers = async (options: Parameters<EventReader['readEvents']>[0] = {}) =>
  (await reader.readEvents(options)).events.map(({ number }) => number)

describe('events', () => {
  it('are numbered without holes, also over a restart', async () => {
    await happen('a', 'b')
    await open()
    await happen('c')
    const { events, next, newest } = await reader.readEvents({})
    expect(events.map(({ number, event }) => [number, event])).toEqual([
      [1, notice('a')],
      [2, notice('b')],
      [3, notice('c')]
    ])
    expect({ next, newest }).toEqual({ next: 3, newest: 3 })
    expect(await numbers({ after: 1, limit: 1 })).toEqual([2])
    expect(await numbers({ after: 3 })).toEqual([])
  })

  it('are seen once everything before them is on disk', async () => {
    const [first, second] = [log.enter([notice('slow')]), log.enter([notice('quick')])]
    await store.commit(second.writes)
    second.kept()
    expect(await numbers()).toEqual([])
    await store.commit(first.writes)
    first.kept()
    expect(await numbers()).toEqual([1, 2])
  })

  it('wait for the next one, and no longer than asked', async () => {
    const waiting = reader.readEvents({ waitMs: 1_000 })
    await happen('came')
    expect((await waiting).events).toHaveLength(1)
    const idle = reader.readEvents({ after: 1, waitMs: 1_000 })
    // The wait is set up behind an answer of the store.
    await Promise.resolve()
    await clock.advance(1_000)
    expect((await idle).events).toEqual([])
  })

  it('end a wait when the reader stops, or its signal aborts', async () => {
    const aborted = new AbortController()
    const [one, other] = [
      reader.readEvents({ waitMs: 1_000 }, aborted.signal),
      reader.readEvents({ waitMs: 1_000 })
    ]
    aborted.abort()
    expect((await one).events).toEqual([])
    reader.stop()
    expect((await other).events).toEqual([])
  })

  it('are let go, the oldest first, and a reader that lacks some is told', async () => {
    for (let count = 0; count < KEPT_MAX + 3; count += 1) await happen(`event ${count}`)
    await open()
    expect(await numbers()).toEqual(Array.from({ length: KEPT_MAX }, (_, index) => index + 4))
    expect(await numbers({ after: 3, limit: 1 })).toEqual([4])
    await expect(reader.readEvents({ after: 2 })).rejects.toMatchObject({ code: 'events-gone' })
    const beyond = reader.readEvents({ after: 99, waitMs: 60_000 })
    await expect(beyond).rejects.toMatchObject({ code: 'unknown-event' })
  })
})

describe('a consumer', () => {
  it('reads the same again until it confirms, also after a restart', async () => {
    await happen('a', 'b', 'c')
    expect(await numbers({ consumer: 'bot' })).toEqual([1, 2, 3])
    expect(await numbers({ consumer: 'bot' })).toEqual([1, 2, 3])
    expect(await reader.confirmEvents({ consumer: 'bot', number: 2 })).toEqual({
      name: 'bot',
      confirmed: 2,
      waiting: 1
    })
    await open()
    expect(await numbers({ consumer: 'bot' })).toEqual([3])
    await reader.confirmEvents({ consumer: 'bot', number: 1 })
    expect(await numbers({ consumer: 'bot' })).toEqual([3])
  })

  it('that was away for too long is told what is gone, and goes on from there', async () => {
    await happen('a')
    await numbers({ consumer: 'bot' })
    for (let count = 0; count < KEPT_MAX + 1; count += 1) await happen(`event ${count}`)
    const gone = reader.readEvents({ consumer: 'bot' })
    await expect(gone).rejects.toMatchObject({ code: 'events-gone' })
    await reader.confirmEvents({ consumer: 'bot', number: 2 })
    expect(await numbers({ consumer: 'bot', limit: 1 })).toEqual([3])
  })

  it('is named plainly, listed, forgotten, and confirms only what there is', async () => {
    await happen('a')
    await numbers({ consumer: 'bot' })
    const refusals: readonly (readonly [Promise<unknown>, string])[] = [
      [reader.readEvents({ consumer: 'My Bot' }), 'bad-consumer'],
      [reader.readEvents({ consumer: '' }), 'bad-consumer'],
      [reader.confirmEvents({ consumer: 'bot', number: 2 }), 'unknown-event'],
      [reader.confirmEvents({ consumer: 'other', number: 1 }), 'unknown-consumer'],
      [reader.forgetConsumer({ consumer: 'other' }), 'unknown-consumer']
    ]
    for (const [refused, code] of refusals) await expect(refused).rejects.toMatchObject({ code })
    expect(await reader.listConsumers()).toEqual([{ name: 'bot', confirmed: 0, waiting: 1 }])
    await reader.forgetConsumer({ consumer: 'bot' })
    await open()
    expect(await reader.listConsumers()).toEqual([])
  })

  it('is one of at most 64', async () => {
    for (let count = 0; count < 64; count += 1) await numbers({ consumer: `bot-${count}` })
    const more = reader.readEvents({ consumer: 'one-more' })
    await expect(more).rejects.toMatchObject({ code: 'too-many-consumers' })
  })
})
