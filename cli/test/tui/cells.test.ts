import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { line, paragraph } from '../../src/output.ts'
import { cellsOf, clustersOf, cut, wrap } from '../../src/tui/cells.ts'

const lines = (text: string, cells: number, firstCells?: number) =>
  wrap(paragraph(text, line``), { cells, ...(firstCells === undefined ? {} : { firstCells }) }).map(
    (one) => one.text
  )

describe('wrapping', () => {
  it('breaks at spaces, and inside what is longer than a line', () => {
    expect(lines('one two three', 8)).toEqual(['one two', 'three'])
    expect(lines('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl'])
    expect(lines('音楽会です', 4)).toEqual(['音楽', '会で', 'す'])
    expect(lines('one two', 20, 4)).toEqual(['one', 'two'])
    expect(lines('a\n\nb', 5)).toEqual(['a', '', 'b'])
  })

  it('gives lines that fit, and loses nothing but spaces', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 })
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (raw, cells) => {
        const safe = paragraph(raw, line``)
        const wrapped = wrap(safe, { cells })
        for (const one of wrapped) {
          expect(cellsOf(one) <= cells || clustersOf(one.text).length === 1).toBe(true)
        }
        const bare = (shown: string) => shown.replace(/\s/g, '')
        expect(bare(wrapped.map((one) => one.text).join(''))).toBe(bare(safe.text))
        expect(cellsOf(cut(safe, cells))).toBeLessThanOrEqual(cells)
      })
    )
  })
})
