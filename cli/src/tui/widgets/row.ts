// A row of the terminal: pieces of safe text with a style each, fitted to a width.
import type { SafeText } from '../../output.ts'
import { cellsOf, cut, spaces } from '../cells.ts'
import type { Style } from '../theme.ts'

export interface Span {
  readonly text: SafeText
  readonly style: Style
}

export type Row = readonly Span[]

export const span = (style: Style, text: SafeText): Span => ({ style, text })

const rowCells = (row: Row): number => row.reduce((sum, { text }) => sum + cellsOf(text), 0)

/** At most `columns` cells; what does not fit is cut from the last pieces. */
export function fit(row: Row, columns: number): Row {
  let left = columns
  return row.map(({ style, text }) => {
    const short = cut(text, Math.max(0, left))
    left -= cellsOf(short)
    return { style, text: short }
  })
}

/** The same row in one style, filled to the width: a marked line or a bar. */
export function bar(row: Row, style: Style, columns: number): Row {
  const fitted = fit(row, columns)
  const used = rowCells(fitted)
  const fill = spaces(columns - used)
  return [...fitted.map(({ text }) => ({ style, text })), { style, text: fill }]
}

/** `right` at the right edge, `left` cut when both do not fit. */
export function ends(left: Row, right: Row, columns: number): Row {
  const short = fit(left, Math.max(0, columns - rowCells(right) - 1))
  const gap = columns - rowCells(short) - rowCells(right)
  return [...short, span('text', spaces(gap)), ...right]
}
