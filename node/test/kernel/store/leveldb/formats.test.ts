// Reading LevelDB's formats: published checksums, and a log cut or damaged at every byte.
import { expect, test } from 'vitest'
import { crc32c } from '../../../../src/kernel/store/leveldb/crc32c.ts'
import { readLog } from '../../../../src/kernel/store/leveldb/log-format.ts'
import { writeLog } from './write-log.ts'

const BLOCK_BYTES = 32_768

test('CRC-32C gives the values of RFC 3720, in one piece and in two', () => {
  const vectors: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    [new TextEncoder().encode('123456789'), 0xe3069283]
  ]
  for (const [bytes, checksum] of vectors) {
    expect(crc32c(bytes)).toBe(checksum)
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(checksum)
    }
  }
})

test('a log gives back records of every size, whole blocks and trailers included', () => {
  const sizes = [0, 1, 100, BLOCK_BYTES - 7 - 7 - 101 - 7 - 8 - 7 - 3, 5, 3 * BLOCK_BYTES, 0, 9]
  const records = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
  expect(readLog(writeLog(records))).toEqual({ records, end: 'whole' })
  expect(readLog(new Uint8Array(0))).toEqual({ records: [], end: 'whole' })
})

test('a log cut anywhere gives its first records and says that it is torn', () => {
  const records = [10, 20, 30].map((size, index) => new Uint8Array(size).fill(index + 1))
  const log = writeLog(records)
  const ends = [17, 44, 81]
  for (let length = 0; length <= log.length; length += 1) {
    const whole = ends.filter((end) => end <= length).length
    const isWhole = length === 0 || ends.includes(length)
    expect(readLog(log.subarray(0, length))).toEqual({
      records: records.slice(0, whole),
      end: isWhole ? 'whole' : 'torn'
    })
  }
})

test('any flipped bit is noticed; before a readable record in a later block it is `broken`', () => {
  const records = [
    new Uint8Array(50).fill(1),
    new Uint8Array(BLOCK_BYTES).fill(2),
    new Uint8Array(9)
  ]
  const log = writeLog(records)
  for (let byte = 0; byte < 57 + 7; byte += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const damaged = log.slice()
      damaged[byte] = (damaged[byte] as number) ^ (1 << bit)
      expect(readLog(damaged).end).toBe('broken')
    }
  }
  for (let byte = log.length - 16; byte < log.length; byte += 1) {
    const damaged = log.slice()
    damaged[byte] = (damaged[byte] as number) ^ 1
    expect(readLog(damaged)).toEqual({ records: records.slice(0, 2), end: 'torn' })
  }
})
