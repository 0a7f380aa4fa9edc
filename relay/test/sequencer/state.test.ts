// The sequencer's decision by itself: who may ask, what is kept, what is billed, what is refused.
import { describe, expect, it } from 'vitest'
import {
  BYTES_PER_ACCOUNT_MAX,
  BYTES_PER_GROUP_MAX,
  decideSequence,
  GROUPS_PER_ACCOUNT_MAX,
  type NewReceipt,
  RECEIPTS_PER_GROUP_MAX,
  requireSequenceRequest,
  type SequenceCase,
  type SequencedGroup,
  withReceipt
} from '../../src/sequencer/state.ts'

const bytes32 = (value: number) => new Uint8Array(32).fill(value)
const LARGEST_BYTES = 65_536

const request = (epoch: number) => ({
  group: bytes32(1),
  epoch,
  commit: bytes32(2),
  sealed: bytes32(4),
  proof: bytes32(5),
  next: bytes32(6),
  previous: new Uint8Array(0)
})
const decide = (
  epoch: number,
  group: SequencedGroup | undefined,
  known: Partial<SequenceCase> = {}
) =>
  decideSequence({
    request: request(epoch),
    group,
    proofHash: bytes32(21),
    sealedHash: bytes32(22),
    previous: undefined,
    relay: bytes32(3),
    ...known
  })

const NOTHING = { groups: 0, bytes: 0 }
const receipt = (epoch: number, change: Partial<NewReceipt> = {}): NewReceipt => ({
  epoch,
  head: bytes32(10),
  next: bytes32(21),
  sealedBytes: 1_024,
  by: 7,
  ...change
})
const groupAt = (epoch: number) => withReceipt(undefined, NOTHING, receipt(epoch)).group

describe('the decision of a sequencer', () => {
  it('takes the commit after the last from who shows the proof, and from nobody else', () => {
    const group = groupAt(4)
    expect(decide(5, group)).toMatchObject({
      type: 'append',
      receipt: { parent: bytes32(10), sealed: bytes32(22), next: bytes32(6) }
    })
    expect(() => decide(5, group, { proofHash: bytes32(99) })).toThrowError(
      expect.objectContaining({ code: 'forbidden', detail: 'not-a-member' })
    )
  })

  it('tells everybody what is decided, whatever he shows', () => {
    expect(decide(4, groupAt(4), { proofHash: bytes32(99) }).type).toBe('decided')
  })

  it('passes no epoch over, unless by a receipt of its own that it has lost', () => {
    const group = groupAt(4)
    expect(() => decide(7, group)).toThrowError(
      expect.objectContaining({ code: 'conflict', detail: 'epoch-ahead' })
    )
    const previous = { hash: bytes32(30), next: bytes32(31) }
    expect(() => decide(7, group, { previous })).toThrowError(
      expect.objectContaining({ code: 'forbidden' })
    )
    const shown = { previous, proofHash: bytes32(31) }
    expect(decide(7, group, shown)).toMatchObject({ receipt: { parent: bytes32(30) } })
    // Somebody has taken the epoch before meanwhile, in the gap that the backup left.
    expect(decide(5, group, shown)).toMatchObject({ receipt: { parent: bytes32(30) } })
  })

  it('takes no epoch that is no number of one, and nothing of a wrong length', () => {
    const malformed = expect.objectContaining({ code: 'malformed' })
    for (const epoch of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => requireSequenceRequest(request(epoch))).toThrowError(malformed)
    }
    const good = request(Number.MAX_SAFE_INTEGER)
    requireSequenceRequest(good)
    requireSequenceRequest({ ...good, sealed: new Uint8Array(LARGEST_BYTES) })
    for (const field of ['group', 'commit', 'proof', 'next'] as const) {
      for (const length of [0, 31, 33]) {
        const bad = { ...good, [field]: new Uint8Array(length) }
        expect(() => requireSequenceRequest(bad)).toThrowError(malformed)
      }
    }
    for (const length of [0, LARGEST_BYTES + 1]) {
      const bad = { ...good, sealed: new Uint8Array(length) }
      expect(() => requireSequenceRequest(bad)).toThrowError(malformed)
    }
  })
})

describe('what a sequencer keeps', () => {
  it('is billed to the account that began the group, whoever goes on', () => {
    const first = withReceipt(undefined, NOTHING, receipt(0))
    const second = withReceipt(first.group, first.use, receipt(1, { by: 8 }))
    expect(second.group).toMatchObject({ billedTo: 7, epochs: [{ epoch: 0 }, { epoch: 1 }] })
    expect(second.use).toEqual({ groups: 1, bytes: 2 * (1_024 + 512) })
  })

  it('lets an account begin so many groups, and go on with those it has', () => {
    const full = { groups: GROUPS_PER_ACCOUNT_MAX, bytes: 0 }
    const almost = { ...full, groups: full.groups - 1 }
    expect(withReceipt(undefined, almost, receipt(0)).use.groups).toBe(full.groups)
    expect(() => withReceipt(undefined, full, receipt(0))).toThrowError(
      expect.objectContaining({ code: 'quota', detail: 'groups' })
    )
    expect(withReceipt(groupAt(0), full, receipt(1)).use.groups).toBe(full.groups)
  })

  it('is the last receipts: the oldest goes and its epoch is never decided again', () => {
    let group: SequencedGroup | undefined
    let dropped: readonly number[] = []
    for (let epoch = 0; epoch <= RECEIPTS_PER_GROUP_MAX; epoch++) {
      expect(dropped).toEqual([])
      const after = withReceipt(group, NOTHING, receipt(epoch, { sealedBytes: 10 }))
      group = after.group
      dropped = after.dropped
    }
    expect(dropped).toEqual([0])
    expect(group?.epochs).toHaveLength(RECEIPTS_PER_GROUP_MAX)
    expect(() => decide(0, group)).toThrowError(
      expect.objectContaining({ code: 'conflict', detail: 'epoch-passed' })
    )
    expect(decide(1, group).type).toBe('decided')
  })

  it('is so many bytes of one group, and always the newest change', () => {
    let after = withReceipt(undefined, NOTHING, receipt(0, { sealedBytes: LARGEST_BYTES }))
    for (let epoch = 1; epoch < 40; epoch++) {
      const next = receipt(epoch, { sealedBytes: LARGEST_BYTES })
      after = withReceipt(after.group, after.use, next)
      expect(after.use.bytes).toBeLessThanOrEqual(BYTES_PER_GROUP_MAX)
    }
    expect(after.group.epochs).toHaveLength(15)
    expect(after.group.epochs.at(-1)?.epoch).toBe(39)
  })

  it('is so many bytes of one account: its groups make room for their own newest, or are refused', () => {
    const begun = withReceipt(undefined, NOTHING, receipt(0))
    const two = withReceipt(begun.group, begun.use, receipt(1))
    const full = { groups: 1, bytes: BYTES_PER_ACCOUNT_MAX }
    const third = withReceipt(two.group, full, receipt(2))
    expect(third.dropped).toEqual([0])
    expect(third.use.bytes).toBe(BYTES_PER_ACCOUNT_MAX)
    expect(() => withReceipt(undefined, full, receipt(0))).toThrowError(
      expect.objectContaining({ code: 'quota', detail: 'bytes' })
    )
  })
})
