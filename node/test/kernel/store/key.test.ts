// Keys sort as the numbers in them do.
import fc from 'fast-check'
import { compare } from 'uint8arrays/compare'
import { expect, test } from 'vitest'
import {
  keyAfter,
  rangeOf,
  readU32,
  readU48,
  readU64,
  storeKey,
  u32,
  u48,
  u64
} from '../../../src/kernel/index.ts'

test('integers come back, and sort as numbers', () => {
  const pairs = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat())
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      expect(readU64(u64(a))).toBe(BigInt(a))
      expect(Math.sign(compare(u64(a), u64(b)))).toBe(Math.sign(a - b))
      const [a48, b48] = [a % 2 ** 48, b % 2 ** 48]
      expect(readU48(storeKey('xy', u48(a48)), 2)).toBe(a48)
      expect(Math.sign(compare(u48(a48), u48(b48)))).toBe(Math.sign(a48 - b48))
      const [a32, b32] = [a % 2 ** 32, b % 2 ** 32]
      expect(readU32(u32(a32))).toBe(a32)
      expect(Math.sign(compare(u32(a32), u32(b32)))).toBe(Math.sign(a32 - b32))
    })
  )
})

test('integers out of range and prefixes beyond ASCII are refused', () => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 32]) expect(() => u32(value)).toThrow(RangeError)
  for (const value of [-1, 2 ** 48]) expect(() => u48(value)).toThrow(RangeError)
  for (const value of [-1n, 1n << 64n, 2 ** 53]) expect(() => u64(value)).toThrow(RangeError)
  expect(u64((1n << 64n) - 1n)).toEqual(new Uint8Array(8).fill(255))
  expect(() => storeKey('é')).toThrow(RangeError)
})

test('a range holds exactly the keys that begin with its prefix', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 })
  const low = fc
    .uint8Array({ minLength: 1, maxLength: 3 })
    .filter((prefix) => prefix.some((b) => b < 255))
  fc.assert(
    fc.property(low, bytes, (prefix, key) => {
      const { from, to } = rangeOf(prefix)
      const begins = prefix.every((byte, index) => key[index] === byte)
      expect(compare(key, from) >= 0 && compare(key, to) < 0).toBe(begins)
    })
  )
  expect(() => rangeOf(new Uint8Array([255, 255]))).toThrow(RangeError)
})

test('nothing lies between a key and the key after it', () => {
  expect(keyAfter(new Uint8Array([1, 255]))).toEqual(new Uint8Array([1, 255, 0]))
})
