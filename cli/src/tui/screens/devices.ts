// The devices of the account.
import { line, name } from '../../output.ts'
import { dayOf } from '../../transcript.ts'
import { wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { bar, ends, type Row, span } from '../widgets/row.ts'
import { windowAround } from '../widgets/window.ts'

const ADD = 'Add one with: kith device add. What was removed reads and writes nothing more.'

export function deviceRows(model: Model, height: number): readonly Row[] {
  const { devices, columns, selected } = model
  const at = Math.min(selected.devices ?? 0, devices.length - 1)
  const marked = devices[at]
  const about = [
    ...(marked === undefined ? [] : wrap(line`device ${marked.device}`, { cells: columns })),
    ...wrap(line`${ADD}`, { cells: columns })
  ].map((text): Row => [span('dim', text)])
  const shown = windowAround(devices, at, height - about.length - 1).map((device) => {
    const left: Row = [
      span('text', line` ${name(device.name)}${device.isThis ? ' (this one)' : ''}`)
    ]
    const row = ends(left, [span('dim', line`added ${dayOf(device.addedAtMs)} `)], columns)
    return device === marked ? bar(row, 'selected', columns) : row
  })
  return [...shown, [], ...about]
}
