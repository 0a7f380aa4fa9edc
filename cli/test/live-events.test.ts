// What a command that follows conversations is told of: everything since it began, however much came meanwhile.
import type { NodeEvent } from '@kith/node'
import { expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { liveEvents } from '../src/live-events.ts'
import { MemoryWorld } from './memory-engine.ts'
import { temporaryHome } from './run.ts'

it('messages that came before it could listen are told of, more than fit one listing, once and in order', async () => {
  const world = new MemoryWorld()
  const alice = world.person(await temporaryHome(), 'alice')
  const bob = world.person(await temporaryHome(), 'bob')
  alice.receive(bob, 'long before')
  await new Promise((resolve) => setTimeout(resolve, 5))
  const startedAtMs = Date.now()
  for (let count = 0; count < 1_500; count += 1) alice.receive(bob, `text ${count}`)
  const ending = new AbortController()
  const session = { api: alice.api(), isHolder: true, onReopened() {}, close: async () => {} }
  const told: string[] = []
  const options = { startedAtMs, clock: systemClock, signal: ending.signal }
  for await (const event of liveEvents(session, options) as AsyncIterable<NodeEvent>) {
    if (event.type === 'message') told.push(event.message.text)
    if (told.length === 1_500) ending.abort()
  }
  expect(told).toEqual(Array.from({ length: 1_500 }, (_, count) => `text ${count}`))
})
