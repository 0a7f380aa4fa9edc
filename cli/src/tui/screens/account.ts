// The own account: the link to give away, and how the relays are.
import { line, name } from '../../output.ts'
import { wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { type Row, span } from '../widgets/row.ts'

export function accountRows({ account, homes, queued, columns, selected }: Model): readonly Row[] {
  if (account === undefined) return []
  const wrapped = (style: 'text' | 'dim' | 'good', text: ReturnType<typeof line>): readonly Row[] =>
    wrap(text, { cells: columns }).map((part): Row => [span(style, part)])
  const rows = [
    ...wrapped('text', line`${name(account.name)}  ${account.account}`),
    [],
    ...wrapped(
      'dim',
      line`Your contact link, for people who should reach you; it holds no secret:`
    ),
    ...wrapped('text', line`${account.link}`),
    [],
    ...homes.flatMap(({ relay, connected }) =>
      wrapped(
        connected ? 'good' : 'dim',
        line`relay ${relay} ${connected ? 'connected' : 'not connected'}`
      )
    ),
    ...wrapped('dim', line`${queued} messages wait to be sent. kith account show prints all this.`)
  ]
  return rows.slice(Math.min(selected.account ?? 0, rows.length - 1))
}
