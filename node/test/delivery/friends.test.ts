import { describe, expect, it } from 'vitest'
import { BOB, CHAT, envelopeOf, fromBob, RELAY, readyWorld, type World } from './machine-world.ts'

/** Alice's home is reachable, and bob is whoever the test makes him. */
function worldWithBob(friends: 'friend' | 'stranger'): World {
  const world = readyWorld()
  if (friends === 'stranger') world.state = { ...world.state, friends: new Set() }
  return world
}

describe('a stranger', () => {
  it('is sent no receipt, whatever arrives and however often this device comes and goes', () => {
    const world = worldWithBob('stranger')
    const before = world.all('seal-receipt').length
    world.push(envelopeOf(20)).answer(fromBob(1))
    world.give({ type: 'offline', relay: RELAY }, { type: 'online', relay: RELAY })
    world.give({ type: 'addresses', addresses: ['/ip4/10.0.0.1/tcp/1'] })
    expect(world.all('seal-receipt')).toHaveLength(before)
    expect(world.events('message')).toHaveLength(1)
  })

  it('that becomes a friend is told at once what has arrived so far', () => {
    const world = worldWithBob('stranger')
    world.push(envelopeOf(20)).answer(fromBob(1))
    const before = world.all('seal-receipt').length
    world.nowMs += 10_000
    world.give({ type: 'befriend', account: BOB.account })
    const told = world.all('seal-receipt').slice(before)
    expect(told).toMatchObject([{ conversation: CHAT, peer: BOB.account }])
    expect(told[0]?.received.get(BOB.device)).toEqual([{ from: 1, to: 1 }])
  })

  it('that becomes a friend while no home is reachable is told with the next session', () => {
    const world = worldWithBob('stranger')
    world.push(envelopeOf(20)).answer(fromBob(1))
    world.give({ type: 'offline', relay: RELAY }, { type: 'befriend', account: BOB.account })
    const before = world.all('seal-receipt').length
    world.nowMs += 10_000
    world.give({ type: 'online', relay: RELAY })
    expect(world.all('seal-receipt')).toHaveLength(before + 1)
  })
})

describe('a blocked account', () => {
  it('leaves a mark and no message, no introduction, no receipt, and no gap for later', () => {
    const world = worldWithBob('friend')
    world.give({ type: 'block', account: BOB.account })
    const receipts = world.all('seal-receipt').length
    const writes = world.changes.length
    const introduction = { name: 'bob', deliverySecret: new Uint8Array(32) }
    world.push(envelopeOf(20), envelopeOf(21))
    world.answer(fromBob(1), fromBob(2, { content: { body: { introduction } } }))
    expect(world.events('message')).toEqual([])
    expect(world.events('introduced')).toEqual([])
    expect(world.all('seal-receipt')).toHaveLength(receipts)
    const written = world.changes.slice(writes).map(({ type }) => type)
    expect(written.filter((type) => type === 'mark')).toHaveLength(2)
    expect(written).not.toContain('timeline')
    expect(world.all('acknowledge').at(-1)).toMatchObject({ number: 2 })
    world.give({ type: 'unblock', account: BOB.account })
    world.push(envelopeOf(22)).answer(fromBob(3))
    expect(world.events('message')).toHaveLength(1)
    expect(world.events('gap')).toEqual([])
    expect(world.all('seal-receipt')).toHaveLength(receipts)
  })
})
