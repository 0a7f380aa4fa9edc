// The safety number of a chat, to be compared with the other side's in person or by a call.
import { line, name } from '../../output.ts'
import { wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { type Row, span } from '../widgets/row.ts'

const GROUP_DIGITS = 5
const GROUPS_IN_ROW = 4

export function safetyRows({ safety, columns }: Model): readonly Row[] {
  if (safety === undefined) return []
  const { contact, digits, theirDevices, ownDevices } = safety
  const groups = digits.match(new RegExp(`\\d{${GROUP_DIGITS}}`, 'g')) ?? []
  const rows: Row[] = []
  for (let start = 0; start < groups.length; start += GROUPS_IN_ROW) {
    rows.push([span('bold', line`  ${groups.slice(start, start + GROUPS_IN_ROW).join(' ')}`)])
  }
  const words = line`The same digits on both sides: nobody stands between. Compare them in person or by a call.`
  const mark = contact.isVerified ? line` ✓ verified` : line``
  return [
    [span('text', line`Safety number with ${name(contact.name)}`), span('good', mark)],
    ...rows,
    [span('dim', line`devices: ${theirDevices.length} theirs, ${ownDevices.length} yours`)],
    ...wrap(words, { cells: columns }).map((text): Row => [span('dim', text)])
  ]
}
