import { toString as toText } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import {
  BOB,
  bytes,
  CHAT,
  EPOCH,
  envelopeOf,
  fromBob,
  idOf,
  RELAY,
  readyWorld,
  STARTED,
  STORE_EPOCH
} from './machine-world.ts'

describe('the inbox', () => {
  it('acknowledges only what is on disk together with its message and cursor', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.hold = true
    world.answer(fromBob(1))
    expect(world.all('acknowledge')).toHaveLength(0)
    expect(world.events('message')).toHaveLength(0)
    world.sync()
    expect(world.all('acknowledge')).toMatchObject([{ relay: RELAY, number: 1 }])
    expect(world.events('message')).toMatchObject([{ message: { text: 'text 1' } }])
    expect(world.changes.some((change) => change.type === 'mark')).toBe(true)
  })

  it('lets a cursor wait that moved past nothing new, for a while, for news, or for so many entries', () => {
    const world = readyWorld()
    const duplicates = (count: number) => {
      for (let index = 0; index < count; index += 1) {
        world.push(envelopeOf(100 + index)).answer({ type: 'duplicate' })
      }
    }
    const written = () => world.state.cursors.get(RELAY)?.number
    world.push(envelopeOf(20)).answer(fromBob(1))
    duplicates(2)
    expect(written()).toBe(1)
    expect(world.all('acknowledge')).toHaveLength(1)
    world.give({ type: 'cursor-due', relay: RELAY })
    expect(written()).toBe(3)
    expect(world.all('acknowledge').at(-1)).toMatchObject({ number: 3 })
    duplicates(2)
    world.push(envelopeOf(21)).answer(fromBob(2))
    expect(written()).toBe(6)
    duplicates(32)
    expect(written()).toBe(6)
    duplicates(1)
    expect(written()).toBe(39)
    // A session that ends begins again where this one was: a relay that has gone back shows.
    duplicates(1)
    world.give({ type: 'offline', relay: RELAY })
    expect(written()).toBe(39)
    expect(world.state.intakes.get(RELAY)?.cursor?.number).toBe(40)
    world.give({ type: 'cursor-due', relay: RELAY })
    expect(written()).toBe(40)
  })

  it('moves the cursor past duplicates and unreadable entries without showing anything', () => {
    const world = readyWorld()
    world.push(envelopeOf(20), envelopeOf(21))
    world.answer({ type: 'duplicate' }, { type: 'unreadable' })
    expect(world.events('message')).toHaveLength(0)
    expect(world.state.cursors.get(RELAY)?.number).toBe(2)
  })

  it('reads a log once more from the beginning when a body is held back, and no second time', () => {
    const world = readyWorld()
    world.push(envelopeOf(20), envelopeOf(21))
    world.answer({ type: 'skipped' }, fromBob(2))
    expect(world.all('distrust')).toMatchObject([{ relay: RELAY }])
    expect(world.state.cursors.get(RELAY)?.number).toBe(0)
    world.give({ type: 'offline', relay: RELAY }).readAgain()
    world.answer({ type: 'skipped' }, { type: 'duplicate' })
    expect(world.all('distrust')).toHaveLength(1)
    expect(world.state.cursors.get(RELAY)?.number).toBe(2)
  })

  it('keeps the logs of two stores of one relay apart while the last entries are being opened', () => {
    const world = readyWorld()
    world.push(envelopeOf(20), envelopeOf(21), envelopeOf(22))
    world.give({ type: 'offline', relay: RELAY })
    world.renewStore(bytes(16, 99)).push(envelopeOf(30))
    world.answer(fromBob(1), fromBob(2), fromBob(3))
    expect(world.state.cursors.get(RELAY)).toMatchObject({ storeEpoch: STORE_EPOCH, number: 3 })
    world.answer(fromBob(4))
    expect(world.state.cursors.get(RELAY)).toMatchObject({ storeEpoch: bytes(16, 99), number: 1 })
    expect(world.all('distrust')).toHaveLength(0)
  })

  it('gives credit back for items that bring nothing to write down', () => {
    const world = readyWorld()
    const slot = { tag: bytes(16, 1), version: 1, sealed: bytes(9, 1) }
    const item = { storeEpoch: STORE_EPOCH, entries: [], slots: [slot] }
    world.give({ type: 'item', relay: RELAY, item })
    expect(world.all('acknowledge')).toMatchObject([{ relay: RELAY, number: 0 }])
  })

  it('shows a message once even when one batch holds it twice', () => {
    const world = readyWorld()
    world.push(envelopeOf(20), envelopeOf(20))
    world.answer(fromBob(1), fromBob(1))
    expect(world.events('message')).toHaveLength(1)
  })

  it('marks a gap after the message that shows it and closes it when the rest arrives', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.answer(fromBob(3))
    expect(world.events('gap')).toMatchObject([{ conversation: CHAT, gap: { from: 1, to: 2 } }])
    world.push(envelopeOf(21), envelopeOf(22))
    world.answer(fromBob(1), fromBob(2))
    expect(world.events('gap-closed').at(-1)).toMatchObject({ gap: { from: 2, to: 2 } })
  })

  it('marks a named message that is not here as missing until it comes', () => {
    const world = readyWorld()
    const missing = envelopeOf(30)
    world.push(envelopeOf(20))
    world.answer(fromBob(2, { depth: 2, heads: [{ id: idOf(missing), depth: undefined }] }))
    expect(world.events('gap')).toMatchObject(
      [{ gap: { message: idOf(missing) } }, { gap: { from: 1, to: 1 } }].reverse()
    )
    world.push(missing)
    world.answer(fromBob(1))
    const closed = world.events('gap-closed').map(({ gap }) => gap)
    expect(closed).toContainEqual({ message: idOf(missing) })
  })

  it.each([
    ['a stranger to the group', { device: undefined, content: {} }, 'not a member'],
    ['another conversation', { content: { conversation: bytes(32, 77) } }, 'another conversation'],
    ['another group', { content: { group: bytes(32, 77) } }, 'another conversation'],
    ['another epoch', { content: { epoch: 2 } }, 'another conversation'],
    ['a fork', { content: { authenticator: bytes(8, 77) } }, 'fork'],
    ['a forged place in the order', { depth: 9 }, 'forged']
  ])('refuses a message of %s with a notice and goes on', (what, options, reason) => {
    const world = readyWorld()
    world.push(envelopeOf(20), envelopeOf(21))
    const bad = fromBob(1, options as Parameters<typeof fromBob>[1])
    const forged =
      what === 'a stranger to the group' ? { ...bad, device: world.state.self.device } : bad
    world.answer(forged as typeof bad, fromBob(1))
    expect(world.events('notice')).toMatchObject([{ text: expect.stringContaining(reason) }])
    expect(world.events('message')).toHaveLength(1)
    expect(world.state.cursors.get(RELAY)?.number).toBe(2)
  })

  it('keeps an envelope of an unknown epoch, and drops the oldest beyond the limit', () => {
    const world = readyWorld()
    for (let index = 0; index < 258; index += 1) {
      world.push(envelopeOf(index % 256, bytes(16, 90 + (index >> 8))))
      world.answer({ type: 'unknown-tag' })
    }
    expect(world.state.waiting).toHaveLength(256)
    expect(world.state.cursors.get(RELAY)?.number).toBe(258)
  })

  it('ends the session with a relay whose log has a hole, and reads it again from the beginning', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.answer(fromBob(1))
    world.give({
      type: 'item',
      relay: RELAY,
      item: {
        storeEpoch: STORE_EPOCH,
        entries: [
          { number: 3, envelopeId: bytes(32, 1), envelope: envelopeOf(21), receivedAtMs: 0 }
        ],
        slots: []
      }
    })
    expect(world.all('distrust')).toMatchObject([{ relay: RELAY }])
    expect(world.state.cursors.get(RELAY)?.number).toBe(0)
  })

  it('ends the session with a relay whose head does not match its log', () => {
    const world = readyWorld()
    world.give({
      type: 'item',
      relay: RELAY,
      item: {
        storeEpoch: STORE_EPOCH,
        entries: [],
        slots: [],
        head: {
          head: { box: bytes(32, 1), number: 4, chain: bytes(32, 1) },
          leafIndex: 0,
          path: []
        }
      }
    })
    expect(world.all('distrust')).toHaveLength(1)
  })

  it('after a lost session goes on behind what is still being opened', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.push(envelopeOf(21))
    world.give({ type: 'offline', relay: RELAY })
    expect(world.state.intakes.get(RELAY)?.cursor?.number).toBe(1)
    world.answer(fromBob(1))
    expect(world.state.cursors.get(RELAY)?.number).toBe(1)
    expect(world.state.intakes.get(RELAY)?.pending).toHaveLength(0)
  })

  it('seals a receipt once per second and never ahead of what is on disk', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.hold = true
    world.answer(fromBob(1))
    expect(world.all('seal-receipt')).toHaveLength(0)
    world.sync()
    world.hold = false
    expect(world.all('seal-receipt')).toMatchObject([{ version: 1 }])
    world.give({ type: 'receipt-sealed', conversation: CHAT, confirmed: true })
    world.push(envelopeOf(21)).answer(fromBob(2))
    world.push(envelopeOf(22)).answer(fromBob(3))
    expect(world.all('seal-receipt')).toHaveLength(1)
    const timers = world.all('timer').filter(({ input }) => input.type === 'receipt-due')
    expect(timers).toHaveLength(1)
    world.nowMs += 1_000
    world.give({ type: 'receipt-due', conversation: CHAT })
    expect(world.all('seal-receipt')).toMatchObject([{ version: 1 }, { version: 2 }])
  })

  it('advances its own next message beyond what it has received', () => {
    const world = readyWorld()
    const theirs = envelopeOf(20)
    world.push(theirs)
    world.answer(fromBob(1))
    expect(world.state.conversations.get(CHAT)?.heads).toEqual([{ id: idOf(theirs), depth: 1 }])
  })

  it('opens nothing before what it opened last is on disk, from whatever source', () => {
    const world = readyWorld()
    world.push(envelopeOf(20))
    world.push(envelopeOf(21))
    world.hold = true
    world.answer(fromBob(1))
    expect(world.all('open')).toHaveLength(1)
    world.sync()
    expect(world.all('open')).toHaveLength(2)
  })
})

describe('what waited', () => {
  it('for an epoch that had become known is opened after a restart', () => {
    const world = readyWorld()
    const kept = { local: 1, id: idOf(envelopeOf(50)), envelope: envelopeOf(50) }
    world.state = { ...world.state, waiting: [{ ...kept, path: 'relay', postponed: false }] }
    world.give({ type: 'open-again' })
    expect(world.all('open')).toMatchObject([
      { source: 'waiting', requests: [{ entry: { id: kept.id } }] }
    ])
    world.give({ type: 'opened', source: 'waiting', results: [fromBob(1)] })
    expect(world.events('message')).toHaveLength(1)
    expect(world.state.waiting).toEqual([])
  })
})

describe('a receipt', () => {
  it('of a group that is joined only afterwards is opened then', () => {
    const world = readyWorld()
    const welcome = envelopeOf(40, bytes(16, 41))
    const slot = { tag: bytes(16, 42), version: 1, sealed: bytes(9, 1) }
    const item = { storeEpoch: STORE_EPOCH, entries: [], slots: [slot] }
    world.give({ type: 'item', relay: RELAY, item })
    expect(world.all('open-receipt')).toHaveLength(0)
    world.push(welcome)
    const epoch = { ...EPOCH, groupId: toText(bytes(32, 43), 'base16'), tag: 'ff' }
    world.answer({
      type: 'joined',
      snapshot: { ...STARTED.snapshot, view: { ...STARTED.snapshot.view, creator: BOB.account } },
      epoch,
      slots: [{ tag: toText(slot.tag, 'base16'), member: BOB }],
      writes: []
    })
    expect(world.all('open-receipt')).toMatchObject([{ slot, owner: { member: BOB } }])
  })

  it('answers a device that brought envelopes only for what is on disk, and never for what it refused', () => {
    const world = readyWorld()
    const [good, bad] = [envelopeOf(60), envelopeOf(61)]
    const envelopes = [good, bad].map((envelope) => ({ id: idOf(envelope), envelope }))
    world.give({ type: 'deliver', request: 7, envelopes })
    world.hold = true
    const forged = fromBob(2, { content: { epoch: 9 } })
    world.give({ type: 'opened', source: 'direct', results: [fromBob(1), forged] })
    expect(world.all('answer')).toHaveLength(0)
    world.sync()
    expect(world.all('answer')).toMatchObject([
      { request: 7, id: idOf(good), held: true },
      { request: 7, id: idOf(bad), held: false }
    ])
  })
})
