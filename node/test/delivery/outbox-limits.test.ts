import { envelope } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import {
  entryBytes,
  OUTBOX_BYTES_MAX,
  OUTBOX_ENTRIES_MAX
} from '../../src/delivery/outbox-limits.ts'
import {
  BOB,
  CHAT,
  envelopeOf,
  fromBob,
  RELAY,
  readyWorld,
  STARTED,
  sealedOf,
  World
} from './machine-world.ts'

const compose = (request: number, text = `text ${request}`) =>
  ({ type: 'compose', request, conversation: CHAT, peer: BOB.account, text }) as const

const refusals = (world: World) => world.events('not-composed')

/** As much as the outbox takes; the number of the request that it refused. */
function fill(world: World, text?: string): number {
  for (let request = 2; ; request += 1) {
    world.give(compose(request, text))
    if (refusals(world).length > 0) return request
  }
}

/** All entries as they are counted one by one. */
const counted = ({ state }: World) =>
  [...state.outbox.values()].reduce((sum, entry) => sum + entryBytes(entry), 0)

describe('a full outbox', () => {
  it('refuses the text after the last that fits, in words, and keeps all that is in it', () => {
    const world = readyWorld()
    const refused = fill(world)
    expect(world.state.outbox.size).toBe(OUTBOX_ENTRIES_MAX)
    const held = [...world.state.outbox.keys()]
    const before = world.changes.length
    world.give(compose(refused + 1))
    expect(refusals(world).map(({ request }) => request)).toEqual([refused, refused + 1])
    const [refusal] = refusals(world)
    expect(refusal?.error).toMatchObject({
      code: 'outbox-full',
      message:
        'The message was not taken: no more than 10000 can wait here, and 9999 wait for a relay, ' +
        '1 for devices of their recipients. Nothing that waits is lost',
      hint: expect.stringContaining('once some are delivered')
    })
    expect([...world.state.outbox.keys()]).toEqual(held)
    expect(world.changes).toHaveLength(before)
  })

  it('names the relay as the cause while none can be reached', () => {
    const world = readyWorld()
    world.give({ type: 'offline', relay: RELAY })
    fill(world)
    expect(refusals(world)[0]?.error.hint).toContain('the relay, which cannot be reached')
  })

  it('is also full by bytes, of texts that are sealed and of those that are not', () => {
    const world = readyWorld()
    fill(world, 'x'.repeat(envelope.TEXT_BYTES_MAX))
    expect(world.state.outboxBytes).toBeGreaterThan(OUTBOX_BYTES_MAX - 2 * envelope.TEXT_BYTES_MAX)
    expect(world.state.outboxBytes).toBeLessThanOrEqual(OUTBOX_BYTES_MAX)
    expect(world.state.outbox.size).toBeLessThan(OUTBOX_ENTRIES_MAX)
    expect(refusals(world)[0]?.error.message).toContain('no more than 64 MiB can wait here')
    world.give(sealedOf(world, 1))
    expect(world.state.outboxBytes).toBe(counted(world))
  })

  it('takes texts again as soon as one is delivered', () => {
    const world = readyWorld()
    world.give(sealedOf(world, 1))
    world.give(sealedOf(world, 2))
    const refused = fill(world)
    const sealed = [...world.state.outbox.values()].find(({ kind }) => kind === 'text')
    const local = sealed?.local ?? 0
    const ids = sealed?.sealed === undefined ? [] : [sealed.sealed.id]
    world.give({ type: 'accepted', local, relay: RELAY }, { type: 'held', device: BOB.device, ids })
    expect(world.state.outboxBytes).toBe(counted(world))
    world.give(compose(refused + 1), compose(refused + 2))
    expect(refusals(world).map(({ request }) => request)).toEqual([refused, refused + 2])
  })

  it('still lets a chat begin, and receives', () => {
    const world = new World()
    world.give({ type: 'online', relay: RELAY })
    fill(world)
    world.give({ type: 'started', conversation: CHAT, group: STARTED })
    expect(world.all('append')).toMatchObject([{ entry: { kind: 'welcome' } }])
    world.push(envelopeOf(1)).answer(fromBob(1))
    expect(world.events('message')).toHaveLength(1)
  })

  it('counts a text in other letters by its bytes', () => {
    const world = readyWorld()
    const before = world.state.outboxBytes
    world.give(compose(2, '👋🏽'))
    expect(world.state.outboxBytes - before).toBe(8)
  })
})
