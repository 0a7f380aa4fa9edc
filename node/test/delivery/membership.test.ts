import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { currentEpoch } from '../../src/conversations/incarnations.ts'
import type { Input, Opened } from '../../src/delivery/inputs.ts'
import type { MadeChange, OpenedChange, Sequenced } from '../../src/delivery/state.ts'
import {
  ALICE,
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
  sealedOf
} from './machine-world.ts'

const NEXT = { ...EPOCH, epoch: 2, tag: '0'.repeat(32), archiveKey: bytes(32, 40) }
const WELCOME = envelopeOf(90, bytes(16, 91))

const CHANGE: MadeChange = {
  state: bytes(8, 41),
  epoch: NEXT,
  slots: [],
  commit: bytes(20, 42),
  welcomes: [{ id: idOf(WELCOME), envelope: WELCOME, account: ALICE.account }]
}

/** A group that bob has founded, in which everyone sends: its creator is below, or its id. */
const BOBS = { ...EPOCH, groupId: '00'.repeat(32), tag: 'd'.repeat(32) }

/** Bob's welcome arrives while the change is being made. */
function joinBobs(world: ReturnType<typeof readyWorld>): void {
  world.push(WELCOME)
  const view = { ...STARTED.snapshot.view, groupId: fromString(BOBS.groupId, 'base16') }
  const snapshot = { ...STARTED.snapshot, view }
  world.answer({ type: 'joined', snapshot, epoch: BOBS, slots: [], writes: [] })
  const conversation = world.state.conversations.get(CHAT)
  if (conversation === undefined) throw new Error('no conversation')
  expect(currentEpoch(conversation).groupId).toBe(BOBS.groupId)
}

const made = { type: 'change-made', conversation: CHAT, change: CHANGE } as const
const receipt = bytes(30, 43)
const asked = { type: 'sequenced', conversation: CHAT, epoch: EPOCH } as const
const WON: Input = { ...asked, sequenced: { type: 'won', receipt } }
/** Another's change, which adds a device. */
const THEIRS = { ...NEXT, tag: '1'.repeat(32), archiveKey: bytes(32, 44) }
const lostTo = (change: OpenedChange): Sequenced => ({
  type: 'lost',
  receipt,
  change,
  commit: bytes(20, 47),
  welcomes: CHANGE.welcomes
})
const APPLIED: OpenedChange = {
  type: 'applied',
  group: { state: bytes(8, 45), epoch: THEIRS, slots: [] }
}
const REFUSED: OpenedChange = { type: 'refused', reason: 'garbage', endsGroup: true }
const chatOf = (world: ReturnType<typeof readyWorld>) => {
  const chat = world.state.conversations.get(CHAT)
  if (chat === undefined) throw new Error('no chat')
  return chat
}

/** A world in which the founding message is sealed and the account log asks for a change. */
function changingWorld() {
  const world = readyWorld()
  world.give(sealedOf(world, 1))
  world.give(sealedOf(world, 2))
  expect(world.all('change')).toHaveLength(1)
  return world
}

describe('a change of a group', () => {
  it('is on disk before the sequencer is asked', () => {
    const world = changingWorld()
    world.hold = true
    world.give(made)
    expect(world.all('sequence')).toHaveLength(0)
    world.sync()
    expect(world.all('sequence')).toMatchObject([{ change: CHANGE, epoch: EPOCH }])
  })

  it('is asked for again with the same commit when the answer was lost', () => {
    const world = changingWorld()
    world.give(made, { type: 'change-failed', conversation: CHAT })
    world.give({ type: 'reconcile', conversation: CHAT })
    expect(world.all('change')).toHaveLength(1)
    expect(world.all('sequence').map(({ change }) => change.commit)).toEqual([
      CHANGE.commit,
      CHANGE.commit
    ])
  })

  it('begins its epoch only with the receipt, and tells the others in the epoch that it ends', () => {
    const world = changingWorld()
    world.give(made)
    expect(world.state.conversations.get(CHAT)?.incarnations[0]?.epoch).toBe(1)
    world.give(WON)
    expect(world.state.conversations.get(CHAT)?.incarnations[0]?.epoch).toBe(2)
    expect(world.all('seal').at(-1)).toMatchObject({
      archiveKey: EPOCH.archiveKey,
      content: { epoch: 1, body: { commit: { commit: CHANGE.commit, receipt } } }
    })
    const welcome = world.all('append').find(({ entry }) => entry.sealed?.id === idOf(WELCOME))
    expect(welcome).toMatchObject({ relay: RELAY, entry: { target: ALICE.account } })
    expect(world.state.conversations.get(CHAT)?.pending).toBeUndefined()
  })

  it('is given up when another came first, which is taken at once with all that it leads to', () => {
    const world = changingWorld()
    world.give(made, { ...asked, sequenced: lostTo(APPLIED) })
    expect(chatOf(world)).toMatchObject({
      pending: undefined,
      incarnations: [{ epoch: 2, state: bytes(8, 45) }],
      epochs: [EPOCH, { epoch: 2, receipt }]
    })
    const welcome = world.all('append').find(({ entry }) => entry.sealed?.id === idOf(WELCOME))
    expect(welcome).toMatchObject({ relay: RELAY, entry: { target: ALICE.account } })
    // Others hear of it in the epoch that it ends, should who made it be silent.
    expect(world.all('seal').at(-1)).toMatchObject({
      archiveKey: EPOCH.archiveKey,
      content: { epoch: 1, body: { commit: { commit: bytes(20, 47), receipt } } }
    })
    // The logs may still ask for what was given up.
    expect(world.all('change').at(-1)).toMatchObject({ epoch: THEIRS })
  })

  it('that came first and came by its own message meanwhile moves the group once', () => {
    const world = changingWorld()
    world.give(made, { ...asked, sequenced: lostTo(APPLIED) })
    world.give({ type: 'change-made', conversation: CHAT, change: undefined })
    world.give({ ...asked, type: 'decided', sequenced: lostTo(APPLIED) })
    expect(chatOf(world).incarnations).toMatchObject([{ epoch: 2 }])
    expect(chatOf(world).epochs).toHaveLength(2)
  })

  it('that is found by another before its own answer comes begins its epoch by what the other says', () => {
    const world = changingWorld()
    world.give(made)
    world.push(envelopeOf(70))
    const commit = { commit: CHANGE.commit, receipt }
    const opened = fromBob(1, { content: { body: { commit } } }) as Opened & { type: 'message' }
    world.answer({ ...opened, change: REFUSED })
    expect(chatOf(world)).toMatchObject({ pending: undefined, incarnations: [{ epoch: 2 }] })
    world.give(WON)
    expect(chatOf(world)).toMatchObject({ phase: 'ready', incarnations: [{ epoch: 2 }] })
    expect(world.events('notice')).toEqual([])
  })

  it('with two receipts for its epoch has them compared', () => {
    const world = changingWorld()
    world.give(made, { ...asked, sequenced: lostTo(APPLIED) })
    world.give({ type: 'change-made', conversation: CHAT, change: undefined })
    const other = { ...lostTo(APPLIED), receipt: bytes(30, 46) } as Sequenced
    world.give({ ...asked, type: 'decided', sequenced: other })
    expect(world.all('check-receipts')).toMatchObject([{ receipts: [receipt, bytes(30, 46)] }])
  })

  it('that nobody can follow ends its group: the chat begins anew, with what waits', () => {
    const world = changingWorld()
    world.give(made, { ...asked, sequenced: lostTo(REFUSED) })
    expect(chatOf(world)).toMatchObject({ phase: 'starting', incarnations: [{ isOver: true }] })
    expect(world.all('start')).toHaveLength(2)
    expect(world.events('notice').map(({ text }) => text)).toEqual([
      'A change of a group was refused: garbage.',
      expect.stringContaining('begins anew')
    ])
    world.give({ type: 'compose', request: 9, conversation: CHAT, peer: BOB.account, text: 'on' })
    const anew = { ...EPOCH, groupId: 'f'.repeat(64), tag: '2'.repeat(32) }
    world.give({ type: 'started', conversation: CHAT, group: { ...STARTED, epoch: anew } })
    expect(world.all('seal').at(-1)).toMatchObject({
      content: { group: bytes(32, 255), body: { text: { text: 'on' } } }
    })
  })

  it('of a group that this device is in already gives it keys to read by, and no second state', () => {
    const world = changingWorld()
    const otherHalf = { ...THEIRS, groupId: EPOCH.groupId }
    world.push(WELCOME)
    const snapshot = { ...STARTED.snapshot, state: bytes(8, 66) }
    world.answer({ type: 'joined', snapshot, epoch: otherHalf, slots: [], writes: [] })
    expect(chatOf(world).incarnations).toHaveLength(1)
    expect(chatOf(world).incarnations[0]?.state).toEqual(STARTED.snapshot.state)
    expect(chatOf(world).epochs.map(({ tag }) => tag)).toContain(otherHalf.tag)
    expect(world.state.tags.has(otherHalf.tag)).toBe(true)
  })

  it('stays asked for when another group of the chat ends', () => {
    const world = changingWorld()
    const other = { ...EPOCH, groupId: 'f'.repeat(64), tag: '2'.repeat(32) }
    world.give(made)
    world.give({ type: 'started', conversation: CHAT, group: { ...STARTED, epoch: other } })
    expect(chatOf(world).pending).toBeDefined()
    const ended = { ...asked, epoch: other, sequenced: lostTo(REFUSED) } as const
    world.give({ ...ended, type: 'sequenced' })
    expect(chatOf(world).pending?.epoch.groupId).toBe(EPOCH.groupId)
  })

  it('that begins anew is tried again when it could not, though nothing waits', () => {
    const world = changingWorld()
    world.give(made, { ...asked, sequenced: lostTo(REFUSED) })
    const failed = { reason: 'unreachable', retryAfterMs: 100 }
    world.give({ type: 'start-failed', conversation: CHAT, ...failed })
    world.give({ type: 'retry-start', conversation: CHAT })
    expect(world.all('start')).toHaveLength(3)
  })

  it('is asked for when something comes that no known epoch opens, one time and not at once', () => {
    const world = readyWorld()
    world.push(envelopeOf(60, bytes(16, 61)), envelopeOf(62, bytes(16, 63)))
    world.answer({ type: 'unknown-tag' }).answer({ type: 'unknown-tag' })
    expect(world.all('ask-decided')).toHaveLength(0)
    const timers = world.all('timer').filter(({ input }) => input.type === 'look-for-missed')
    expect(timers).toHaveLength(1)
    world.give({ type: 'look-for-missed' })
    expect(world.all('ask-decided')).toMatchObject([{ conversation: CHAT, epoch: EPOCH }])
    world.give({ ...asked, type: 'decided', sequenced: lostTo(APPLIED) })
    expect(chatOf(world).incarnations).toMatchObject([{ epoch: 2 }])
  })

  it('has later messages sealed in its epoch', () => {
    const world = changingWorld()
    world.give(made, WON)
    world.give(sealedOf(world, 3))
    const peer = world.state.conversations.get(CHAT)?.peer
    if (peer === undefined) throw new Error('no peer')
    world.give({ type: 'compose', request: 9, conversation: CHAT, peer, text: 'after' })
    expect(world.all('seal').at(-1)).toMatchObject({
      archiveKey: NEXT.archiveKey,
      content: { epoch: 2, body: { text: { text: 'after' } } }
    })
  })
  it('is asked for in its own group when everyone sends in another by now', () => {
    const world = changingWorld()
    joinBobs(world)
    world.give(made)
    expect(world.all('sequence')).toMatchObject([
      { incarnation: { groupId: EPOCH.groupId }, epoch: EPOCH, change: { commit: CHANGE.commit } }
    ])
  })

  it('stays pending when another group of the chat moves on', () => {
    const world = changingWorld()
    joinBobs(world)
    world.give(made)
    const change = { ...CHANGE, epoch: { ...BOBS, epoch: 2, tag: 'e'.repeat(32) } }
    world.push(envelopeOf(71, fromString(BOBS.tag, 'base16')))
    const body = { commit: { commit: CHANGE.commit, receipt } }
    const group = fromString(BOBS.groupId, 'base16')
    const message = fromBob(1, { content: { body, group } }) as Extract<Opened, { type: 'message' }>
    world.answer({ ...message, change: { type: 'applied', group: change } })
    const conversation = world.state.conversations.get(CHAT)
    expect(conversation?.incarnations.at(-1)).toMatchObject({ groupId: BOBS.groupId, epoch: 2 })
    expect(conversation?.pending?.commit).toEqual(CHANGE.commit)
  })
})
