// Text in the cells of a terminal: how wide it is, where it is broken, where it is cut. Only ever cuts, so that what was
// safe to print stays so.
import stringWidth from 'string-width'
import { cuttings, join, line, type SafeText } from '../output.ts'

const CLUSTERS = new Intl.Segmenter('en', { granularity: 'grapheme' })

export interface Cluster {
  readonly text: string
  /** In UTF-16 units, from the beginning of the text. */
  readonly index: number
}

/** What a reader takes for one character each. */
export function clustersOf(text: string): readonly Cluster[] {
  return [...CLUSTERS.segment(text)].map(({ segment, index }) => ({ text: segment, index }))
}

/** Cells of a line. Terminals disagree about some emoji; lines are never wrapped by the terminal, see terminal.node.ts. */
export const cellsOf = (text: SafeText | string): number =>
  stringWidth(typeof text === 'string' ? text : text.text)

/** A line of at most `cells`; what is cut off becomes `…`. */
export function cut(text: SafeText, cells: number): SafeText {
  if (cellsOf(text) <= cells) return text
  if (cells < 1) return line``
  const [kept] = cuttings(text, (raw) => [startOf(raw, cells - 1)])
  return kept === undefined ? line`…` : join([kept, line`…`])
}

function startOf(text: string, cells: number): string {
  let used = 0
  for (const cluster of clustersOf(text)) {
    used += cellsOf(cluster.text)
    if (used > cells) return text.slice(0, cluster.index)
  }
  return text
}

export const spaces = (cells: number): SafeText => line`${' '.repeat(Math.max(0, cells))}`

export interface Width {
  readonly cells: number
  /** Of the first line, when something stands in front of it. */
  readonly firstCells?: number
}

/** The lines of a text: broken at spaces, and inside words that are longer than a line. */
export function wrap(text: SafeText, width: Width): readonly SafeText[] {
  const cells = Math.max(1, width.cells)
  const first = Math.max(1, width.firstCells ?? cells)
  return cuttings(text, (raw) =>
    raw
      .split('\n')
      .flatMap((part, index) => wrapLine(part, { cells, first: index === 0 ? first : cells }))
  )
}

function wrapLine(
  text: string,
  { cells, first }: { cells: number; first: number }
): readonly string[] {
  const lines: string[] = []
  let start = 0
  let used = 0
  let space: number | undefined
  for (const { text: cluster, index } of clustersOf(text)) {
    const width = cellsOf(cluster)
    if (used + width > (lines.length === 0 ? first : cells) && cluster !== ' ') {
      lines.push(text.slice(start, space ?? index).trimEnd())
      start = space === undefined ? index : space + 1
      used = cellsOf(text.slice(start, index))
      space = undefined
    }
    if (cluster === ' ') space = index
    used += width
  }
  return [...lines, text.slice(start).trimEnd()]
}
