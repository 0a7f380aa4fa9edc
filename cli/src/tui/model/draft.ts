// A text that is being written and the place of the cursor in it: pure steps from one to the next. Moves by characters
// as readers see them, so that no emoji is cut in half.
import { envelope } from '@kith/protocols'
import { clustersOf } from '../cells.ts'

/** Far more than can be sent (TEXT_BYTES_MAX): a text that is too long can be pasted, is refused in words, and cut down. */
const DRAFT_UNITS_MAX = envelope.TEXT_BYTES_MAX * 4

export interface Draft {
  readonly text: string
  /** In UTF-16 units; always between two characters. */
  readonly cursor: number
}

export const EMPTY: Draft = { text: '', cursor: 0 }

export const draftOf = (text: string): Draft => ({ text, cursor: text.length })

/** Control characters other than line breaks cannot be typed; in what is pasted they are left out. */
export function cleanInput(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '    ')
    .replace(/(?!\n)\p{Cc}/gu, '')
    .toWellFormed()
}

/** Puts text in at the cursor. A draft that would be too long stays as it is: undefined. */
export function insert(draft: Draft, text: string): Draft | undefined {
  const cleaned = cleanInput(text)
  if (draft.text.length + cleaned.length > DRAFT_UNITS_MAX) return undefined
  return {
    text: draft.text.slice(0, draft.cursor) + cleaned + draft.text.slice(draft.cursor),
    cursor: draft.cursor + cleaned.length
  }
}

const without = ({ text }: Draft, from: number, to: number): Draft => ({
  text: text.slice(0, from) + text.slice(to),
  cursor: from
})

const before = ({ text, cursor }: Draft): number =>
  clustersOf(text.slice(0, cursor)).at(-1)?.index ?? 0

const after = ({ text, cursor }: Draft): number =>
  cursor + (clustersOf(text.slice(cursor))[0]?.text.length ?? 0)

const lineStart = ({ text, cursor }: Draft): number => text.lastIndexOf('\n', cursor - 1) + 1

function lineEnd({ text, cursor }: Draft): number {
  const end = text.indexOf('\n', cursor)
  return end < 0 ? text.length : end
}

function wordStart({ text, cursor }: Draft): number {
  return cursor - (/\S*\s*$/.exec(text.slice(0, cursor))?.[0].length ?? 0)
}

/** The same place of the line above or below, by characters; the beginning or end of the text beyond. */
function vertical(draft: Draft, direction: -1 | 1): Draft {
  const start = lineStart(draft)
  const column = clustersOf(draft.text.slice(start, draft.cursor)).length
  if (direction < 0 && start === 0) return { ...draft, cursor: 0 }
  const end = lineEnd(draft)
  if (direction > 0 && end === draft.text.length) return { ...draft, cursor: end }
  const cursor = direction < 0 ? start - 1 : end + 1
  const other = { ...draft, cursor }
  const from = lineStart(other)
  const there = clustersOf(draft.text.slice(from, lineEnd(other)))
  const place = there[column]
  return { ...draft, cursor: place === undefined ? lineEnd(other) : from + place.index }
}

const EDITS: Readonly<Record<string, (draft: Draft) => Draft>> = {
  backspace: (draft) => without(draft, before(draft), draft.cursor),
  delete: (draft) => without(draft, draft.cursor, after(draft)),
  left: (draft) => ({ ...draft, cursor: before(draft) }),
  right: (draft) => ({ ...draft, cursor: after(draft) }),
  up: (draft) => vertical(draft, -1),
  down: (draft) => vertical(draft, 1),
  home: (draft) => ({ ...draft, cursor: lineStart(draft) }),
  end: (draft) => ({ ...draft, cursor: lineEnd(draft) }),
  'ctrl+a': (draft) => ({ ...draft, cursor: lineStart(draft) }),
  'ctrl+w': (draft) => without(draft, wordStart(draft), draft.cursor),
  'alt+backspace': (draft) => without(draft, wordStart(draft), draft.cursor),
  'ctrl+u': (draft) => without(draft, lineStart(draft), draft.cursor),
  'ctrl+k': (draft) => without(draft, draft.cursor, lineEnd(draft))
}

/** What a key does to a draft; undefined when it is not a key of writing. */
export const edit = (draft: Draft, key: string): Draft | undefined => EDITS[key]?.(draft)
