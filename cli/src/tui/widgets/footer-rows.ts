// The last rows of the screen: what is asked, what happened, or the keys that hold here.
import { join, line, type SafeText } from '../../output.ts'
import { cellsOf, clustersOf, cut, wrap } from '../cells.ts'
import { hintOf } from '../keys.ts'
import type { Draft } from '../model/draft.ts'
import type { Model, Prompt, Status } from '../model/model.ts'
import { placeOf } from '../model/place.ts'
import { type Row, span } from './row.ts'

/** Of a long message; the conversation stays in sight. */
const STATUS_ROWS_MAX = 3

export interface Footer {
  readonly rows: readonly Row[]
  /** Of the cursor, from 0 within these rows; undefined when nothing is typed here. */
  readonly cursor: { readonly row: number; readonly column: number } | undefined
}

export function footerRows(model: Model): Footer {
  const { columns, prompt, question, status, isBusy } = model
  const said = status === undefined ? [] : statusRows(status, columns)
  if (question !== undefined) {
    const asked = wrap(line`${question.text} (y: yes, other keys: no)`, { cells: columns })
    return { rows: asked.map((text) => [span('unread', text)]), cursor: undefined }
  }
  if (prompt !== undefined) return promptRows(prompt, said, columns)
  if (said.length > 0) return { rows: said, cursor: undefined }
  const words = isBusy ? line`… one moment` : line`${hintOf(placeOf(model))}`
  return { rows: [[span('dim', cut(words, columns))]], cursor: undefined }
}

function statusRows({ text, isError }: Status, columns: number): readonly Row[] {
  const style = isError ? 'error' : 'good'
  return wrap(text, { cells: columns })
    .slice(0, STATUS_ROWS_MAX)
    .map((part) => [span(style, part)])
}

function promptRows(prompt: Prompt, said: readonly Row[], columns: number): Footer {
  const title = wrap(prompt.title, { cells: columns }).map((text): Row => [span('bold', text)])
  const { text, column } = lineOf(prompt.draft, columns - 2)
  const rows = [...said, ...title, [span('mark', line`> `), span('text', text)]]
  return { rows, cursor: { row: rows.length - 1, column: column + 2 } }
}

/** The part of one line around its cursor. */
function lineOf({ text, cursor }: Draft, columns: number): { text: SafeText; column: number } {
  const width = Math.max(1, columns - 1)
  const parts = clustersOf(text).map(({ text: cluster, index }) => ({
    shown: line`${cluster}`,
    index
  }))
  let column = 0
  let first = parts.findIndex(({ index }) => index >= cursor)
  if (first < 0) first = parts.length
  const end = first
  while (first > 0) {
    const cells = cellsOf(parts[first - 1]?.shown ?? line``)
    if (column + cells > width) break
    column += cells
    first -= 1
  }
  const before = join(parts.slice(first, end).map(({ shown }) => shown))
  const behind = cut(join(parts.slice(end).map(({ shown }) => shown)), columns - column)
  return { text: join([before, behind]), column }
}
