import { deviceIdOf } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import {
  BOB,
  bytes,
  CHAT,
  EPOCH,
  envelopeOf,
  idOf,
  RELAY,
  readyWorld,
  STARTED,
  STORE_EPOCH,
  sealedOf,
  World
} from './machine-world.ts'

const compose = (request: number, text: string) =>
  ({ type: 'compose', request, conversation: CHAT, peer: BOB.account, text }) as const

describe('the outbox', () => {
  it('shows a message only once it is on disk', () => {
    const world = new World()
    world.hold = true
    world.give(compose(1, 'hello'))
    expect(world.events('composed')).toHaveLength(0)
    world.sync()
    expect(world.events('composed')).toMatchObject([{ request: 1, entry: { text: 'hello' } }])
  })

  it('founds the group first, and keeps what was composed meanwhile in order', () => {
    const world = new World()
    world.give(compose(1, 'one'), compose(2, 'two'))
    expect(world.all('start')).toMatchObject([{ conversation: CHAT, peer: BOB.account }])
    expect(world.all('seal')).toHaveLength(0)
    world.give({ type: 'started', conversation: CHAT, group: STARTED })
    for (const seed of [1, 2, 3]) world.give(sealedOf(world, seed))
    const bodies = world.all('seal').map(({ content }) => content.body)
    expect(bodies).toMatchObject([
      { introduction: { name: 'alice' } },
      { text: { text: 'one' } },
      { text: { text: 'two' } }
    ])
    expect(world.all('seal').map(({ counter }) => counter)).toEqual([1, 2, 3])
    expect(world.all('seal').map(({ content }) => content.depth)).toEqual([1, 2, 3])
  })

  it('has the keys of an epoch on disk before anything under them leaves', () => {
    const world = new World()
    world.give({ type: 'online', relay: RELAY }, compose(1, 'one'))
    world.hold = true
    world.give({ type: 'started', conversation: CHAT, group: STARTED })
    expect(world.all('append')).toHaveLength(0)
    expect(world.all('seal')).toHaveLength(0)
    world.sync()
    expect(world.all('append')).toMatchObject([{ entry: { kind: 'welcome' } }])
  })

  it('sends only sealed bytes that are on disk, and the same bytes every time', () => {
    const world = readyWorld()
    world.hold = true
    world.give(sealedOf(world, 1))
    const sent = () => world.all('append').filter(({ entry }) => entry.kind !== 'welcome')
    expect(sent()).toHaveLength(0)
    world.sync()
    world.hold = false
    expect(sent()).toHaveLength(1)
    world.give({ type: 'offline', relay: RELAY }, { type: 'online', relay: RELAY })
    const [first, second] = sent()
    expect(second?.entry.sealed?.envelope).toBe(first?.entry.sealed?.envelope)
  })

  it('goes from queued to accepted to delivered, each once', () => {
    const world = readyWorld()
    world.give(sealedOf(world, 1))
    world.give(sealedOf(world, 2))
    const text = [...world.state.outbox.values()].find(({ kind }) => kind === 'text')
    const local = text?.local ?? 0
    world.give({ type: 'accepted', local, relay: RELAY }, { type: 'accepted', local, relay: RELAY })
    expect(world.state.outbox.get(local)?.acceptedBy).toEqual([RELAY])
    for (const { local } of [...world.state.outbox.values()]) {
      world.give({ type: 'accepted', local, relay: RELAY })
    }
    const receipt = {
      type: 'receipt',
      conversation: CHAT,
      member: BOB,
      delivered: new Map([[world.state.self.device, [{ from: 1, to: 2 }]]]),
      addresses: [],
      archiveKey: undefined
    } as const
    world.give(receipt, receipt)
    const delivered = world.events('progress').filter((event) => event.entry.deliveredBy)
    expect(delivered.map(({ entry }) => entry.kind)).toEqual(['introduction', 'text'])
    expect([...world.state.outbox.values()].filter(({ kind }) => kind !== 'welcome')).toEqual([])
  })

  it('takes no receipt from an own device for the recipient’s', () => {
    const world = readyWorld()
    world.give(sealedOf(world, 1))
    const { self } = world.state
    const delivered = new Map([[self.device, [{ from: 1, to: 9 }]]])
    world.give({
      type: 'receipt',
      conversation: CHAT,
      member: self,
      delivered,
      addresses: [],
      archiveKey: undefined
    })
    expect(world.events('progress').some(({ entry }) => entry.deliveredBy)).toBe(false)
  })

  it('offers everything again to a relay whose store is a new one', () => {
    const world = readyWorld()
    world.give(sealedOf(world, 1))
    const local = [...world.state.outbox.values()].find(
      ({ sealed }) => sealed?.counter === 1
    )?.local
    world.push()
    world.give({ type: 'accepted', local: local ?? 0, relay: RELAY })
    world.give({
      type: 'item',
      relay: RELAY,
      item: { storeEpoch: STORE_EPOCH, entries: [], slots: [] }
    })
    const before = world.all('append').length
    world.give({
      type: 'item',
      relay: RELAY,
      item: { storeEpoch: bytes(16, 99), entries: [], slots: [] }
    })
    expect(world.all('append').length).toBe(before + 1)
    expect(world.state.outbox.get(local ?? 0)?.acceptedBy).toEqual([])
  })

  it('keeps a message queued with the reason while the group cannot be founded, and tries again', () => {
    const world = new World()
    world.give(compose(1, 'one'))
    world.give({
      type: 'start-failed',
      conversation: CHAT,
      reason: 'unreachable',
      retryAfterMs: 2_000
    })
    expect(world.events('progress').at(-1)).toMatchObject({ entry: { refusal: 'unreachable' } })
    const [timer] = world.all('timer')
    expect(timer?.delayMs).toBe(2_000)
    if (timer !== undefined) world.give(timer.input)
    expect(world.all('start')).toHaveLength(2)
  })

  it('founds no second group when the first try fails after the peer has founded one', () => {
    const world = readyWorld()
    const failed = { type: 'start-failed', reason: 'timeout', retryAfterMs: 1 } as const
    world.give({ ...failed, conversation: CHAT }, compose(2, 'two'))
    expect(world.state.conversations.get(CHAT)?.phase).toBe('ready')
    expect(world.all('start')).toHaveLength(1)
    expect(world.all('timer').filter(({ input }) => input.type === 'retry-start')).toEqual([])
  })

  it('keeps a welcome until its device has joined, whatever a home says', () => {
    const world = readyWorld()
    world.give(sealedOf(world, 1))
    world.give(sealedOf(world, 2))
    const welcome = [...world.state.outbox.values()].find(({ kind }) => kind === 'welcome')
    if (welcome === undefined) throw new Error('no welcome')
    for (const { local } of [...world.state.outbox.values()]) {
      world.give({ type: 'accepted', local, relay: RELAY })
    }
    expect(world.state.outbox.has(welcome.local)).toBe(true)
    const receipt = {
      type: 'receipt',
      conversation: CHAT,
      member: BOB,
      delivered: new Map([[world.state.self.device, [{ from: 1, to: 9 }]]]),
      addresses: []
    } as const
    world.give({ ...receipt, archiveKey: bytes(32, 77) })
    expect(world.state.outbox.has(welcome.local)).toBe(true)
    world.give({ ...receipt, archiveKey: EPOCH.archiveKey })
    expect(world.state.outbox.size).toBe(0)
  })

  it('keeps welcomes until every device of the recipient has joined', () => {
    const world = new World()
    const tablet = { ...BOB, device: deviceIdOf(bytes(32, 88)) }
    const epoch = { ...EPOCH, members: [...EPOCH.members, tablet] }
    const welcomes = [envelopeOf(200, bytes(16, 1)), envelopeOf(201, bytes(16, 2))].map(
      (envelope) => ({ id: idOf(envelope), envelope, account: BOB.account })
    )
    world.give({ type: 'online', relay: RELAY }, compose(1, 'one'))
    world.give({ type: 'started', conversation: CHAT, group: { ...STARTED, epoch, welcomes } })
    for (const local of world.state.welcomes.keys()) {
      world.give({ type: 'accepted', local, relay: RELAY })
    }
    world.give(sealedOf(world, 1)).give(sealedOf(world, 2))
    for (const local of world.state.outbox.keys()) {
      world.give({ type: 'accepted', local, relay: RELAY })
    }
    const heard = (member: typeof BOB) =>
      world.give({
        type: 'receipt',
        conversation: CHAT,
        member,
        delivered: new Map([[world.state.self.device, [{ from: 1, to: 9 }]]]),
        addresses: [],
        archiveKey: EPOCH.archiveKey
      })
    heard(BOB)
    expect(world.state.welcomes.size).toBe(2)
    heard(tablet)
    expect(world.state.outbox.size).toBe(0)
  })

  it('has what it sends on coming online on disk first', () => {
    const world = readyWorld()
    world.give({ type: 'offline', relay: RELAY })
    world.hold = true
    world.give(sealedOf(world, 1), { type: 'online', relay: RELAY })
    const sent = () => world.all('append').filter(({ entry }) => entry.sealed?.counter === 1)
    expect(sent()).toHaveLength(0)
    world.sync()
    expect(sent()).toHaveLength(1)
  })

  it('seals at once in a chat that is ready, and sends nothing before entry and seal are on disk', () => {
    const world = readyWorld()
    while (world.all('seal').length < 2) world.give(sealedOf(world, world.all('seal').length))
    world.give(sealedOf(world, 2))
    world.hold = true
    world.give(compose(2, 'second'))
    expect(world.all('seal').at(-1)?.content.body).toMatchObject({ text: { text: 'second' } })
    world.give(sealedOf(world, 3))
    const sent = () => world.all('append').filter(({ entry }) => entry.text === 'second')
    expect(sent()).toHaveLength(0)
    expect(world.events('composed').filter(({ request }) => request === 2)).toHaveLength(0)
    world.sync()
    expect(sent()).toHaveLength(1)
    expect(world.events('composed').filter(({ request }) => request === 2)).toHaveLength(1)
  })

  it('sends a message to a home once the welcome before it is there, or of no use any more', () => {
    for (const end of ['accepted', 'held'] as const) {
      const world = new World()
      world.give({ type: 'online', relay: RELAY }, compose(1, 'one'))
      world.give({ type: 'started', conversation: CHAT, group: STARTED })
      world.give(sealedOf(world, 1))
      world.give({ type: 'offline', relay: RELAY }, { type: 'online', relay: RELAY })
      const kinds = () => new Set(world.all('append').map(({ entry }) => entry.kind))
      expect([...kinds()]).toEqual(['welcome'])
      const [welcome] = world.state.welcomes.values()
      const { local = 0, sealed } = welcome ?? {}
      if (end === 'accepted') world.give({ type: 'accepted', local, relay: RELAY })
      else world.give({ type: 'held', device: BOB.device, ids: sealed ? [sealed.id] : [] })
      expect([...kinds()]).toEqual(['welcome', 'introduction'])
    }
  })

  it('names the heads it has seen and stands one deeper', () => {
    const world = readyWorld()
    const seal = world.all('seal').at(-1)
    expect(seal).toMatchObject({ counter: 1, archiveKey: EPOCH.archiveKey })
    expect(seal?.content).toMatchObject({ heads: [], depth: 1 })
    world.give(sealedOf(world, 1))
    const next = world.all('seal').at(-1)
    expect(next?.content.heads).toHaveLength(1)
    expect(next?.content.depth).toBe(2)
  })
})
