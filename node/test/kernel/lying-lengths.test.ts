// A length that lies, where our own frames are cut: refused from its prefix alone, before anything is held for it.
import { ProtocolError } from '@kith/protocols'
import { expect, it } from 'vitest'
import { FrameReader } from '../../src/kernel/frame-reader.ts'

/** reliability.md, B5: for one lie. */
const BYTES_MAX = 64 * 1_024
const ROUNDS = 2_000

const held = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

it.each([
  ['2^31', '8080808008'],
  ['2^31 and as much as comes with it', `8080808008${'00'.repeat(1_000)}`],
  ['2^63', '80808080808080808001'],
  ['more than ten bytes', 'ff'.repeat(11)],
  ['one byte more than the largest frame', '818040']
])('a length of %s is refused at once and costs next to nothing', (name, hex) => {
  const lie = new Uint8Array(Buffer.from(hex, 'hex'))
  const readers: FrameReader[] = []
  let refused = 0
  const before = { bytes: held(), cpu: process.threadCpuUsage() }
  for (let round = 0; round < ROUNDS; round += 1) {
    const reader = new FrameReader(2 ** 20, () => expect.unreachable('there is no frame'))
    // Kept, so that nothing that was taken for it is collected before it is measured.
    readers.push(reader)
    try {
      reader.push(lie)
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError)
      refused += 1
    }
  }
  const bytes = (held() - before.bytes) / ROUNDS
  const { user, system } = process.threadCpuUsage(before.cpu)
  console.log(
    `B5: ${name}: ${((user + system) / ROUNDS).toFixed(1)} µs of processor time and ` +
      `${bytes.toFixed(0)} bytes for each`
  )
  expect(refused).toBe(ROUNDS)
  expect(readers.every(({ heldBytes }) => heldBytes <= lie.byteLength)).toBe(true)
  expect(bytes).toBeLessThan(BYTES_MAX)
})
