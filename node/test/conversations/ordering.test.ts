import { envelope, type MessageId, messageIdOf } from '@kith/protocols'
import fc from 'fast-check'
import { compare } from 'uint8arrays/compare'
import { describe, expect, it } from 'vitest'
import {
  advanceHeads,
  DEPTH_LEAP_MAX,
  depthAfter,
  depthHolds,
  orderKey
} from '../../src/conversations/ordering.ts'

const id = (byte: number): MessageId => messageIdOf(new Uint8Array(32).fill(byte))

describe('ordering', () => {
  it('sorts keys by depth, then by id', () => {
    const message = fc.record({ depth: fc.nat(2 ** 40), byte: fc.nat(255) })
    fc.assert(
      fc.property(message, message, (a, b) => {
        const order = compare(orderKey(a.depth, id(a.byte)), orderKey(b.depth, id(b.byte)))
        expect(Math.sign(order)).toBe(Math.sign(a.depth - b.depth || a.byte - b.byte))
      })
    )
  })

  it('replaces named heads by the message that named them', () => {
    const heads = [
      { id: id(1), depth: 1 },
      { id: id(2), depth: 1 }
    ]
    expect(advanceHeads(heads, { id: id(3), depth: 2 }, [id(1), id(2)])).toEqual([
      { id: id(3), depth: 2 }
    ])
  })

  it('keeps the deepest heads when there are more than a message may name', () => {
    let heads = advanceHeads([], { id: id(0), depth: 1 }, [])
    for (let index = 1; index <= 20; index += 1) {
      heads = advanceHeads(heads, { id: id(index), depth: index + 1 }, [])
    }
    expect(heads).toHaveLength(envelope.HEADS_MAX)
    expect(depthAfter(heads)).toBe(22)
  })

  it('accepts exactly one depth when every named head is known', () => {
    expect(depthHolds(1, [], 0)).toBe(true)
    expect(depthHolds(2, [], 0)).toBe(false)
    expect(depthHolds(6, [5, 3], 5)).toBe(true)
    expect(depthHolds(7, [5, 3], 9)).toBe(false)
    expect(depthHolds(5, [5, 3], 9)).toBe(false)
  })

  it('bounds the depth of a message whose heads are not all known', () => {
    expect(depthHolds(40, [5, undefined], 5)).toBe(true)
    expect(depthHolds(5, [5, undefined], 5)).toBe(false)
    expect(depthHolds(5 + DEPTH_LEAP_MAX + 1, [undefined], 5)).toBe(false)
    expect(depthHolds(Number.MAX_SAFE_INTEGER + 2, [undefined], 5)).toBe(false)
    expect(depthHolds(1.5, [undefined], 5)).toBe(false)
  })
})
