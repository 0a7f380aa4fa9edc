// Records and keys of the relay's store: what is written is read, damage is noticed, order is kept.
import { StoreError } from '@kith/node/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FieldReader, FieldWriter } from '../../src/storage/fields.ts'
import { key, mapKey, numberAt, rangeOf, TABLE } from '../../src/storage/keys.ts'

const whole = fc.maxSafeNat()
const bytes = fc.uint8Array({ maxLength: 300 })

describe('fields', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(whole, bytes), { maxLength: 20 }),
        fc.string(),
        (fields, text) => {
          const writer = new FieldWriter()
          for (const field of fields) {
            if (typeof field === 'number') writer.varint(field)
            else writer.sized(field)
          }
          const reader = new FieldReader(writer.text(text).fixed(Uint8Array.of(1, 2)).finish())
          for (const field of fields) {
            if (typeof field === 'number') expect(reader.varint()).toBe(field)
            else expect(reader.sized()).toEqual(field)
          }
          expect(reader.text()).toBe(new TextDecoder().decode(new TextEncoder().encode(text)))
          expect(reader.rest()).toEqual(Uint8Array.of(1, 2))
        }
      )
    )
  })

  it('of a record that is cut or of an unknown version are refused', () => {
    const record = new FieldWriter().varint(300).sized(new Uint8Array(40)).finish()
    for (let length = 0; length < record.byteLength; length++) {
      const read = () => {
        const reader = new FieldReader(record.subarray(0, length))
        reader.varint()
        reader.sized()
      }
      expect(read).toThrow(StoreError)
    }
    const later = Uint8Array.from(record)
    later[0] = 2
    expect(() => new FieldReader(later)).toThrow(StoreError)
    const endless = new FieldWriter().fixed(new Uint8Array(20).fill(0xff)).finish()
    expect(() => new FieldReader(endless).varint()).toThrow(StoreError)
  })
})

describe('keys', () => {
  it('order numbers as numbers', () => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const [first, second] = [mapKey(key(TABLE.entry, 1, a)), mapKey(key(TABLE.entry, 1, b))]
        expect(Math.sign(a - b)).toBe(first < second ? -1 : first > second ? 1 : 0)
        expect(numberAt(key(TABLE.entry, 1, a), 9)).toBe(a)
      })
    )
  })

  it('of one box are one range', () => {
    fc.assert(
      fc.property(whole, whole, fc.uint8Array({ maxLength: 40 }), (box, other, rest) => {
        const { from, to } = rangeOf(TABLE.entry, box)
        const inside = mapKey(key(TABLE.entry, other, rest))
        expect(inside >= mapKey(from) && inside < mapKey(to)).toBe(box === other)
      })
    )
  })

  it('have a range whatever bytes they end in', () => {
    const { from, to } = rangeOf(TABLE.slot, new Uint8Array(8).fill(0xff))
    expect(mapKey(from) < mapKey(to)).toBe(true)
    expect(to).toEqual(Uint8Array.of(TABLE.slot + 1))
  })
})
