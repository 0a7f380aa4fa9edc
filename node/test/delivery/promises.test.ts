// What a relay said it kept has to stand in its log where it said.
import { describe, expect, it } from 'vitest'
import {
  BOB,
  bytes,
  envelopeOf,
  fromBob,
  RELAY,
  readyWorld,
  STORE_EPOCH,
  sealedOf,
  type World
} from './machine-world.ts'

/** The relay shows this many entries of bob's and says that alice's own first one stands at this number. */
function worldWith(shown: number, number: number): { world: World; local: number } {
  const world = readyWorld()
  world.give(sealedOf(world, 1))
  const own = [...world.state.outbox.values()].find(({ sealed }) => sealed?.counter === 1)
  const local = own?.local ?? 0
  world.push(...Array.from({ length: shown }, (_, index) => envelopeOf(20 + index)))
  if (shown > 0) world.answer(...Array.from({ length: shown }, (_, index) => fromBob(index + 1)))
  const place = { relay: RELAY, storeEpoch: STORE_EPOCH, number }
  world.give({ type: 'accepted', local, relay: RELAY, place })
  return { world, local }
}

const acceptedBy = ({ world, local }: { world: World; local: number }) =>
  world.state.outbox.get(local)?.acceptedBy

describe('a log of which another own device was shown a head', () => {
  const shown = (number: number, chain: Uint8Array, storeEpoch = STORE_EPOCH) =>
    ({ type: 'shown-elsewhere', relay: RELAY, storeEpoch, number, chain }) as const
  const due = { type: 'promises-due', relay: RELAY } as const
  /** A world to which the relay has shown this many entries, and the chain value after them. */
  function logOf(count: number): { world: World; chain: Uint8Array } {
    const world = readyWorld()
    for (let index = 0; index < count; index += 1) {
      world.push(envelopeOf(20 + index)).answer(fromBob(index + 1))
    }
    const chain = world.state.cursors.get(RELAY)?.chain
    if (chain === undefined) throw new Error('no log')
    return { world, chain }
  }

  it('that comes to the same is not accused', () => {
    const { world } = logOf(1)
    world.give(shown(1, logOf(1).chain), shown(2, logOf(2).chain))
    world.push(envelopeOf(21)).answer(fromBob(2))
    world.give(due, due, due, due)
    expect(world.all('distrust')).toEqual([])
  })

  it.each([
    ['at once', 1, 'it shows another log'],
    ['when it comes there', 2, 'it shows another log']
  ])('and that differs is distrusted %s', (_, number, reason) => {
    const { world } = logOf(1)
    world.give(shown(number, bytes(32, 77)))
    if (number > 1) world.push(envelopeOf(21))
    const found = world.all('distrust')
    expect(found).toHaveLength(1)
    expect(found[0]?.reason).toContain(reason)
  })

  it('and that does not come there is distrusted after three rounds on which it stood still', () => {
    const { world } = logOf(1)
    world.give(shown(3, bytes(32, 77)), due, due)
    expect(world.all('distrust')).toEqual([])
    world.give(due)
    expect(world.all('distrust').map(({ reason }) => reason)).toEqual([
      'it does not show here what it showed to another of your devices'
    ])
  })

  it('in another life of its store, or further back than here, says nothing', () => {
    const { world } = logOf(2)
    world.give(shown(9, bytes(32, 77), bytes(16, 99)), shown(1, bytes(32, 77)), due, due, due, due)
    expect(world.all('distrust')).toEqual([])
  })

  it('waits for a bounded number of heads', () => {
    const { world } = logOf(1)
    for (let number = 2; number < 200; number += 1) world.give(shown(number, bytes(32, 77)))
    expect(world.state.intakes.get(RELAY)?.watch?.heads.size).toBe(64)
  })
})

describe('a relay that says it kept a message', () => {
  it('and shows it is believed', () => {
    const made = worldWith(1, 2)
    made.world.push(envelopeOf(1))
    made.world.give({ type: 'promises-due', relay: RELAY })
    expect(made.world.all('distrust')).toEqual([])
    expect(acceptedBy(made)).toEqual([RELAY])
  })

  it.each([
    ['later', 1, 2],
    ['before', 2, 1]
  ])('and shows another at its number %s is distrusted and offered it again', (_, shown, at) => {
    const made = worldWith(shown, at)
    if (at > shown) made.world.push(envelopeOf(30))
    expect(made.world.all('distrust')).toMatchObject([{ relay: RELAY }])
    expect(acceptedBy(made)).toEqual([])
  })

  it('is offered it again although a device of theirs has it: own devices may lack it', () => {
    const made = worldWith(1, 3)
    const { world, local } = made
    const [id] = [...world.state.outbox.values()].flatMap(({ sealed }) => sealed?.id ?? [])
    world.give({ type: 'held', device: BOB.device, ids: id === undefined ? [] : [id] })
    expect(acceptedBy(made)).toEqual([RELAY])
    world.push(envelopeOf(30))
    expect(world.state.outbox.has(local)).toBe(true)
    world.push(envelopeOf(31))
    expect(world.all('distrust')).toHaveLength(1)
    expect(acceptedBy(made)).toEqual([])
    world.give({ type: 'accepted', local, relay: RELAY })
    expect(world.state.outbox.has(local)).toBe(false)
  })

  it('is done with it once it shows it and a device of theirs has it', () => {
    const made = worldWith(1, 2)
    const { world, local } = made
    const id = world.state.outbox.get(local)?.sealed?.id
    world.give({ type: 'held', device: BOB.device, ids: id === undefined ? [] : [id] })
    expect(world.state.outbox.has(local)).toBe(true)
    world.push(envelopeOf(1))
    expect(world.state.outbox.has(local)).toBe(false)
  })

  it('and never shows it is distrusted after three rounds in which its log stood still', () => {
    const made = worldWith(1, 5)
    const due = { type: 'promises-due', relay: RELAY } as const
    made.world.give(due, due)
    made.world.push(envelopeOf(30)).answer(fromBob(2))
    made.world.give(due, due)
    expect(made.world.all('distrust')).toEqual([])
    made.world.give(due)
    expect(made.world.all('distrust')).toHaveLength(1)
    expect(acceptedBy(made)).toEqual([])
  })

  it('is not accused while it is out of reach', () => {
    const made = worldWith(1, 5)
    const due = { type: 'promises-due', relay: RELAY } as const
    made.world.give({ type: 'offline', relay: RELAY }, due, due, due, due)
    expect(made.world.all('distrust')).toEqual([])
  })

  it('in another life of its store is not held to it here', () => {
    const made = worldWith(1, 2)
    made.world.renewStore(bytes(16, 99)).push(envelopeOf(30), envelopeOf(31))
    expect(made.world.all('distrust')).toEqual([])
  })
})
