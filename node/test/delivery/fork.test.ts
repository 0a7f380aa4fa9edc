// Two commits that end one epoch, both with a receipt: the second is compared with the one that was followed.
import { sequencer } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
import type { Opened } from '../../src/delivery/inputs.ts'
import { bytes, CHAT, EPOCH, envelopeOf, fromBob, readyWorld, type World } from './machine-world.ts'

const followed = bytes(40, 1)

/** Alice's group has gone on to epoch 2 by the commit with that receipt. */
function goneOn(): World {
  const world = readyWorld()
  const conversation = world.state.conversations.get(CHAT)
  if (conversation === undefined) throw new Error('no conversation')
  const incarnations = conversation.incarnations.map((group) => ({
    ...group,
    epoch: 2
  }))
  const conversations = new Map(world.state.conversations)
  conversations.set(CHAT, {
    ...conversation,
    incarnations,
    epochs: [EPOCH, { ...EPOCH, epoch: 2, tag: 'ff', receipt: followed }]
  })
  world.state = { ...world.state, conversations }
  return world
}

const commitWith = (receipt: Uint8Array) =>
  fromBob(1, { content: { body: { commit: { commit: bytes(8, 2), receipt } } } })

describe('a commit of an epoch that has ended', () => {
  it('with another receipt than the one followed is looked at for evidence, and changes nothing', () => {
    const world = goneOn()
    world.push(envelopeOf(20)).answer(commitWith(bytes(40, 9)))
    expect(world.all('check-receipts')).toMatchObject([{ receipts: [followed, bytes(40, 9)] }])
    expect(world.state.conversations.get(CHAT)?.incarnations).toMatchObject([{ epoch: 2 }])
  })

  it('with the receipt followed is nothing new', () => {
    const world = goneOn()
    world.push(envelopeOf(20)).answer(commitWith(followed))
    expect(world.all('check-receipts')).toEqual([])
  })
})

describe('a receipt in the place of a commit', () => {
  it('is the word of a member who found two: looked at for evidence, and refused as a commit in silence', () => {
    const world = readyWorld()
    const told = sequencer.SignedReceipt.encode({ receipt: bytes(8, 3), signature: bytes(64, 4) })
    const commit = { commit: told, receipt: bytes(40, 9) }
    const opened = fromBob(1, { content: { body: { commit } } }) as Opened & { type: 'message' }
    const change = { type: 'refused', reason: 'no commit', endsGroup: false } as const
    world.push(envelopeOf(20)).answer({ ...opened, change })
    expect(world.all('check-receipts')).toMatchObject([{ receipts: [bytes(40, 9), told] }])
    expect(world.events('notice')).toEqual([])
  })
})

describe('two receipts that are proven to be of one epoch', () => {
  it('end the group once: the other half is told where both read, and the chat begins anew', () => {
    const world = goneOn()
    const other = bytes(40, 9)
    const receipts = [followed, other] as const
    const forked = { type: 'forked', conversation: CHAT, epoch: EPOCH, receipts } as const
    world.give(forked, forked)
    const conversation = world.state.conversations.get(CHAT)
    expect(conversation?.incarnations).toMatchObject([{ isOver: true }])
    const commits = [...world.state.outbox.values()].filter(({ kind }) => kind === 'commit')
    expect(commits.map(({ change }) => change)).toEqual([
      { tag: 'ff', commit: other, receipt: followed },
      { tag: EPOCH.tag, commit: other, receipt: followed }
    ])
  })
})
