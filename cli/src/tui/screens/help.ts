// All keys, from the table that the steps use.
import { line } from '../../output.ts'
import { cellsOf, spaces, wrap } from '../cells.ts'
import { BINDINGS, type Place } from '../keys.ts'
import type { Model } from '../model/model.ts'
import { type Row, span } from '../widgets/row.ts'

/** Columns of the keys; on a narrow screen what they do stands below. */
const KEYS_CELLS = 30
const NARROW_COLUMNS = 60

const TITLES: Readonly<Partial<Record<Place, string>>> = {
  everywhere: 'Everywhere',
  list: 'In the list',
  conversation: 'In a conversation',
  people: 'People',
  account: 'Your account',
  devices: 'Devices'
}

export function helpRows({ columns, selected }: Model, height: number): readonly Row[] {
  const rows: Row[] = []
  let place: Place | undefined
  for (const { place: where, shown, what } of BINDINGS) {
    if (where !== place) {
      if (place !== undefined) rows.push([])
      rows.push([span('bold', line`${TITLES[where] ?? where}`)])
    }
    place = where
    rows.push(...bindingRows(shown, what, columns))
  }
  const first = Math.min(selected.help ?? 0, Math.max(0, rows.length - height))
  return rows.slice(first, first + height)
}

function bindingRows(shown: string, what: string, columns: number): readonly Row[] {
  const keys = line` ${shown}`
  const indent = columns < NARROW_COLUMNS ? 4 : KEYS_CELLS
  const lines = wrap(line`${what}`, { cells: Math.max(1, columns - indent) })
  const below = lines.map((text): Row => [span('text', spaces(indent)), span('text', text)])
  if (columns < NARROW_COLUMNS) return [[span('mark', keys)], ...below]
  const first: Row = [
    span('mark', keys),
    span('text', spaces(indent - cellsOf(keys))),
    span('text', lines[0] ?? line``)
  ]
  return [first, ...below.slice(1)]
}
