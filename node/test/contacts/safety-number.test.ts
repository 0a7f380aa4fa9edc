import { readFileSync } from 'node:fs'
import { type AccountId, accountIdOf, deviceIdOf } from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { deviceListHash, readSafetyNumber, safetyNumber } from '../../src/contacts/safety-number.ts'
import { nodePrimitives } from '../../src/kernel/primitives.node.ts'

interface Root {
  readonly account: string
  readonly recoveryKey: string
}

interface Vectors {
  readonly safetyNumbers: readonly { name: string; a: Root; b: Root; digits: string }[]
  readonly deviceLists: readonly {
    name: string
    account: string
    devices: string[]
    hash: string
  }[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/safety-number.json', import.meta.url), 'utf8')
)

const sha256 = (...parts: Uint8Array[]) => nodePrimitives.sha256(...parts)
const hex = (text: string) => fromString(text, 'base16')
const rootOf = ({ account, recoveryKey }: Root) => ({
  account: account as AccountId,
  recoveryKey: hex(recoveryKey)
})
const ACCOUNT = accountIdOf(new Uint8Array(32).fill(1))
const device = (value: number) => deviceIdOf(new Uint8Array(32).fill(value))

describe('a safety number', () => {
  it.each(vectors.safetyNumbers)(
    'of $name is the one of the vectors, from both sides',
    (vector) => {
      const [a, b] = [rootOf(vector.a), rootOf(vector.b)]
      expect(safetyNumber(a, b, sha256)).toBe(vector.digits)
      expect(safetyNumber(b, a, sha256)).toBe(vector.digits)
    }
  )

  it('differs between any two of the vectors', () => {
    const all = vectors.safetyNumbers.map(({ digits }) => digits)
    expect(new Set(all).size).toBe(all.length)
  })

  it('is read with whatever people put between the digits', () => {
    const digits = '0123456789'.repeat(6)
    const groups = digits.match(/.{5}/g) as string[]
    for (const typed of [digits, groups.join(' '), groups.join('-'), `\t${groups.join('\n')}\n`]) {
      expect(readSafetyNumber(typed)).toBe(digits)
    }
  })

  it.each(['', '1'.repeat(59), '1'.repeat(61), `${'1'.repeat(59)}x`, '１'.repeat(60)])(
    'is not read from %j',
    (typed) => expect(() => readSafetyNumber(typed)).toThrow('60 digits')
  )
})

describe('a hash of devices', () => {
  it.each(vectors.deviceLists)('of $name is the one of the vectors', (vector) => {
    const devices = vector.devices.map((key) => deviceIdOf(hex(key)))
    expect(deviceListHash(vector.account as AccountId, devices, sha256)).toBe(vector.hash)
  })

  it('does not depend on the order, and changes with every device and account', () => {
    const both = deviceListHash(ACCOUNT, [device(1), device(2)], sha256)
    expect(deviceListHash(ACCOUNT, [device(2), device(1)], sha256)).toBe(both)
    expect(deviceListHash(ACCOUNT, [device(2)], sha256)).not.toBe(both)
    const other = accountIdOf(new Uint8Array(32).fill(2))
    expect(deviceListHash(other, [device(1), device(2)], sha256)).not.toBe(both)
  })
})
