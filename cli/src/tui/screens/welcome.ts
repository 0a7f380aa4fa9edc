// The first start: no account here yet.
import { line } from '../../output.ts'
import { wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { type Row, span } from '../widgets/row.ts'

const WORDS = [
  'There is no account on this machine yet.',
  'Paste the join link of a relay below. Whoever runs the relay gives it to you; the relay keeps what is addressed to you while you are away, and can read none of it.',
  'To make this machine a further device of an account you have: Ctrl-C, then kith device link.'
]

export function welcomeRows({ columns }: Model): readonly Row[] {
  return WORDS.flatMap((words, index) =>
    wrap(line`${words}`, { cells: columns }).map(
      (text): Row => [span(index === 0 ? 'bold' : 'text', text)]
    )
  )
}
