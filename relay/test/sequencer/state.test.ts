// The sequencer's decision by itself: what is kept, what is billed, what is refused.
import { describe, expect, it } from 'vitest'
import {
  decideSequence,
  GROUPS_PER_ACCOUNT_MAX,
  RECEIPTS_PER_GROUP_MAX,
  requireSequenceRequest,
  type SequencedGroup,
  withReceipt
} from '../../src/sequencer/state.ts'

const bytes32 = (value: number) => new Uint8Array(32).fill(value)
const NOTHING = new Uint8Array(0)

const request = (epoch: number) => ({
  group: bytes32(1),
  epoch,
  parent: NOTHING,
  commit: bytes32(2)
})
const decide = (epoch: number, group: SequencedGroup | undefined, groupsOfAccount = 0) =>
  decideSequence({ request: request(epoch), group, groupsOfAccount, relay: bytes32(3) })

describe('the decision of a sequencer', () => {
  it('bills a group to the account that began it, whoever goes on', () => {
    const first = withReceipt(undefined, { epoch: 0, head: bytes32(10), billedTo: 7 })
    const second = withReceipt(first.group, { epoch: 1, head: bytes32(11), billedTo: 8 })
    expect(second.group).toEqual({ billedTo: 7, epochs: [0, 1], head: bytes32(11) })
  })

  it('lets an account begin so many groups, and go on with those it has', () => {
    const full = GROUPS_PER_ACCOUNT_MAX
    expect(decide(0, undefined, full - 1).type).toBe('append')
    expect(() => decide(0, undefined, full)).toThrowError(
      expect.objectContaining({ code: 'quota', detail: 'groups' })
    )
    const { group } = withReceipt(undefined, { epoch: 0, head: bytes32(10), billedTo: 7 })
    expect(decide(1, group, full).type).toBe('append')
  })

  it('forgets the oldest receipt beyond the limit and never decides its epoch again', () => {
    let group: SequencedGroup | undefined
    let dropped: number | undefined
    for (let epoch = 0; epoch <= RECEIPTS_PER_GROUP_MAX; epoch++) {
      expect(dropped).toBeUndefined()
      const after = withReceipt(group, { epoch: 2 * epoch, head: bytes32(epoch), billedTo: 7 })
      group = after.group
      dropped = after.dropped
    }
    expect(dropped).toBe(0)
    expect(group?.epochs).toHaveLength(RECEIPTS_PER_GROUP_MAX)
    const passed = expect.objectContaining({ code: 'conflict', detail: 'epoch-passed' })
    for (const epoch of [0, 1, 3]) expect(() => decide(epoch, group)).toThrowError(passed)
    expect(decide(2, group).type).toBe('decided')
  })

  it('takes no epoch that is no number of one', () => {
    for (const epoch of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => requireSequenceRequest(request(epoch))).toThrowError(
        expect.objectContaining({ code: 'malformed' })
      )
    }
    requireSequenceRequest(request(Number.MAX_SAFE_INTEGER))
  })
})
