import { describe, expect, it } from 'vitest'
import type { MadeChange } from '../../src/delivery/state.ts'
import {
  ALICE,
  bytes,
  CHAT,
  EPOCH,
  envelopeOf,
  idOf,
  RELAY,
  readyWorld,
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

const made = { type: 'change-made', conversation: CHAT, change: CHANGE } as const
const receipt = bytes(30, 43)

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
    expect(world.all('sequence')).toMatchObject([{ commit: CHANGE.commit }])
  })

  it('is asked for again with the same commit when the answer was lost', () => {
    const world = changingWorld()
    world.give(made, { type: 'change-failed', conversation: CHAT })
    world.give({ type: 'reconcile', conversation: CHAT })
    expect(world.all('change')).toHaveLength(1)
    expect(world.all('sequence').map(({ commit }) => commit)).toEqual([
      CHANGE.commit,
      CHANGE.commit
    ])
  })

  it('begins its epoch only with the receipt, and tells the others in the epoch that it ends', () => {
    const world = changingWorld()
    world.give(made)
    expect(world.state.conversations.get(CHAT)?.incarnations[0]?.epoch).toBe(1)
    world.give({ type: 'sequenced', conversation: CHAT, receipt })
    expect(world.state.conversations.get(CHAT)?.incarnations[0]?.epoch).toBe(2)
    expect(world.all('seal').at(-1)).toMatchObject({
      archiveKey: EPOCH.archiveKey,
      content: { epoch: 1, body: { commit: { commit: CHANGE.commit, receipt } } }
    })
    const welcome = world.all('append').find(({ entry }) => entry.sealed?.id === idOf(WELCOME))
    expect(welcome).toMatchObject({ relay: RELAY, entry: { target: ALICE.account } })
    expect(world.state.conversations.get(CHAT)?.pending).toBeUndefined()
  })

  it('is given up when another change came first', () => {
    const world = changingWorld()
    world.give(made, { type: 'sequenced', conversation: CHAT, receipt: undefined })
    expect(world.state.conversations.get(CHAT)?.incarnations[0]?.epoch).toBe(1)
    expect(world.state.conversations.get(CHAT)?.pending).toBeUndefined()
    expect(world.state.conversations.get(CHAT)?.changing).toBe(false)
  })

  it('has later messages sealed in its epoch', () => {
    const world = changingWorld()
    world.give(made, { type: 'sequenced', conversation: CHAT, receipt })
    world.give(sealedOf(world, 3))
    const peer = world.state.conversations.get(CHAT)?.peer
    if (peer === undefined) throw new Error('no peer')
    world.give({ type: 'compose', request: 9, conversation: CHAT, peer, text: 'after' })
    expect(world.all('seal').at(-1)).toMatchObject({
      archiveKey: NEXT.archiveKey,
      content: { epoch: 2, body: { text: { text: 'after' } } }
    })
  })
})
