// A draft as rows and the cell of its cursor. What is typed or pasted is shown through the sanitizer character by
// character, so that what is in the draft and where the cursor stands always agree.
import { join, line, type SafeText } from '../output.ts'
import { cellsOf, clustersOf } from './cells.ts'
import { COMPOSER_MARGIN } from './layout.ts'
import type { Draft } from './model/draft.ts'

export interface ComposerRows {
  readonly rows: readonly SafeText[]
  /** Row and cell of the cursor, from 0. */
  readonly row: number
  readonly column: number
}

/** `columns` of the pane, with room for the margin. */
export function composerRows({ text, cursor }: Draft, columns: number): ComposerRows {
  // One cell more for a cursor behind the last character.
  const width = Math.max(1, columns - COMPOSER_MARGIN - 1)
  const rows: SafeText[][] = [[]]
  let used = 0
  let place = { row: 0, column: 0 }
  const begin = () => {
    rows.push([])
    used = 0
  }
  for (const cluster of clustersOf(text)) {
    if (cluster.index === cursor) place = { row: rows.length - 1, column: used }
    if (cluster.text === '\n') {
      begin()
      continue
    }
    const shown = line`${cluster.text}`
    const cells = cellsOf(shown)
    if (used + cells > width) {
      begin()
      if (cluster.index === cursor) place = { row: rows.length - 1, column: 0 }
    }
    rows.at(-1)?.push(shown)
    used += cells
  }
  if (cursor >= text.length) place = { row: rows.length - 1, column: used }
  return { rows: rows.map((parts) => join(parts)), ...place }
}
