// Records of a device's own store come back as they went in.
import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord } from '../../src/kernel/record.ts'

test('bytes anywhere inside come back as bytes', () => {
  const value = { text: 'שלום', list: [new Uint8Array([0, 255])], deep: { none: new Uint8Array() } }
  expect(decodeRecord(encodeRecord(value))).toEqual(value)
})

test('a Buffer is bytes like any other', () => {
  const bytes = Buffer.from([1, 2, 3])
  expect(decodeRecord(encodeRecord({ bytes, list: [bytes] }))).toEqual({
    bytes: new Uint8Array([1, 2, 3]),
    list: [new Uint8Array([1, 2, 3])]
  })
  expect(decodeRecord(encodeRecord(bytes))).toEqual(new Uint8Array([1, 2, 3]))
})

test('bytes are kept as they are, behind the text that refers to them', () => {
  const record = encodeRecord({ envelope: new Uint8Array(1_000).fill(7) })
  expect(record.byteLength).toBeLessThan(1_050)
  expect(record.at(-1)).toBe(7)
})

test('a value that looks like a reference and is none comes back as it went in', () => {
  const value = { $bytes: 'text', deep: { $bytes: [1, 'two'] } }
  expect(decodeRecord(encodeRecord(value))).toEqual(value)
})

test('other bytes than a record throw', () => {
  const whole = encodeRecord({ list: [new Uint8Array(8), 'text'] })
  for (let length = 0; length < whole.byteLength; length += 1) {
    expect(() => decodeRecord(whole.subarray(0, length))).toThrow()
  }
  const outside = new TextEncoder().encode('    {"$bytes":[0,9]}')
  new DataView(outside.buffer).setUint32(0, outside.byteLength - 4)
  expect(() => decodeRecord(outside)).toThrow(RangeError)
})
