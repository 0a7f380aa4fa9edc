// The recovery words, once: they are gone when one of them has been typed.
import { line } from '../../output.ts'
import { spaces, wrap } from '../cells.ts'
import type { Model } from '../model/model.ts'
import { type Row, span } from '../widgets/row.ts'

/** Number, word of at most eight letters, space. */
const WORD_CELLS = 12

export function wordsRows({ words, columns }: Model): readonly Row[] {
  const inRow = Math.max(1, Math.min(6, Math.floor(columns / WORD_CELLS)))
  const rows: Row[] = []
  for (let start = 0; start < words.length; start += inRow) {
    rows.push(
      words.slice(start, start + inRow).flatMap((word, index) => {
        const number = `${start + index + 1}`.padStart(2)
        const gap = spaces(WORD_CELLS - number.length - 1 - word.length)
        return [span('dim', line`${number} `), span('bold', line`${word}${gap}`)]
      })
    )
  }
  const title = line`Recovery words: write them down now.`
  return [...wrap(title, { cells: columns }).map((text): Row => [span('unread', text)]), ...rows]
}
