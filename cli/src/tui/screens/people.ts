// People: strangers who ask, contacts, who is blocked; what is known of the marked one below.
import { line, name, paragraph } from '../../output.ts'
import { dayOf, timeOf } from '../../transcript.ts'
import { wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { type Person, peopleOf, selectedPersonIndex } from '../model/people.ts'
import { bar, ends, type Row, span } from '../widgets/row.ts'
import { windowAround } from '../widgets/window.ts'

/** Rows about the marked person, at most a third of the screen. */
const DETAIL_SHARE = 3

export function peopleRows(model: Model, height: number): readonly Row[] {
  const { columns } = model
  const people = peopleOf(model)
  if (people.length === 0) return [[span('dim', line`Nobody yet. n adds a contact by link.`)]]
  const at = selectedPersonIndex(model)
  const person = people[at]
  const about = person === undefined ? [] : aboutRows(person, columns)
  const detail = about.slice(0, Math.max(1, Math.floor(height / DETAIL_SHARE)))
  const free = height - detail.length - 1
  const shown = windowAround(people, at, free).map((one) => {
    const row = personRow(one, columns)
    return one === person ? bar(row, 'selected', columns) : row
  })
  const gap = Array.from(
    { length: Math.max(1, height - shown.length - detail.length) },
    (): Row => []
  )
  return [...shown, ...gap, ...detail]
}

function personRow(person: Person, columns: number): Row {
  if (person.kind === 'request') {
    const { request } = person
    const left: Row = [span('unread', line` ? ${name(request.name)}`)]
    return ends(left, [span('dim', line`asks, ${dayOf(request.atMs)} `)], columns)
  }
  const { contact, kind } = person
  const words =
    kind === 'blocked' ? line`blocked ` : contact.isVerified ? line`✓ verified ` : line``
  return ends([span('text', line`   ${name(contact.name)}`)], [span('dim', words)], columns)
}

function aboutRows(person: Person, columns: number): readonly Row[] {
  const rows = wrap(line`account ${person.account}`, { cells: columns }).map(
    (text): Row => [span('dim', text)]
  )
  if (person.kind !== 'request') return rows
  const { text, atMs } = person.request
  const wrote = text === undefined ? line`nothing yet` : paragraph(text, line``)
  // Beginning with the margin: no line of a stranger's text looks like anything else.
  const lines = wrap(wrote, { cells: Math.max(1, columns - 2) })
  return [
    [span('dim', line`wrote at ${timeOf(atMs)}:`)],
    ...lines.map((part): Row => [span('dim', line`│ `), span('text', part)]),
    ...rows
  ]
}
