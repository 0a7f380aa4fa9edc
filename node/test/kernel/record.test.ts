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
