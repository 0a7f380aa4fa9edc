import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineSplitter, type Line } from '../../src/socket/lines.ts'

const show = (line: Line): string =>
  line.kind === 'line' ? Buffer.from(line.bytes).toString('latin1') : `too long: ${line.byteLength}`

function split(text: string, cuts: readonly number[], bytesMax: number): string[] {
  const bytes = Buffer.from(text, 'latin1')
  const splitter = createLineSplitter(bytesMax)
  const edges = [
    0,
    ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length
  ]
  const lines = edges
    .slice(1)
    .flatMap((end, index) => splitter.push(bytes.subarray(edges[index], end)))
  const last = splitter.end()
  return [...lines, ...(last === undefined ? [] : [last])].map(show)
}

describe('the line splitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\r'), { maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (parts, cuts) => {
        const whole = parts.join('')
        const expected = whole.split(/\n/).map((line) => line.replace(/\r$/, ''))
        if (whole.endsWith('\n') || whole === '') expected.pop()
        expect(split(whole, cuts, 1_000)).toEqual(expected)
      })
    )
  })

  it('counts what it does not keep', () => {
    expect(split('abc\nabcd\nabcde\r\nab\n', [3, 7], 3)).toEqual([
      'abc',
      'too long: 4',
      'too long: 6',
      'ab'
    ])
    expect(split('abc\r\nabcd', [], 3)).toEqual(['abc', 'too long: 4'])
  })

  it('holds no more than one line of the allowed length', () => {
    const splitter = createLineSplitter(10)
    for (let count = 0; count < 1_000; count++)
      expect(splitter.push(Buffer.alloc(1_000, 'x'))).toEqual([])
    expect(splitter.end()).toEqual({ kind: 'too-long', byteLength: 1_000_000 })
    expect(splitter.end()).toBeUndefined()
  })
})
