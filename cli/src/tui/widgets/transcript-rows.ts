// A conversation as rows: messages with time, state and sender, notices between them, gaps at the end. Steps that scroll
// count the same rows that are drawn.
import type { MessageView, NoticeView } from '@kith/node'
import { join, line, name, paragraph, type SafeText } from '../../output.ts'
import { dayOf, gapLine, interleave, markOf, noticeLine, timeOf } from '../../transcript.ts'
import { cellsOf, cut, spaces, wrap } from '../cells.ts'
import type { Chat } from '../model/model.ts'
import { type Row, type Span, span } from './row.ts'

/** Under the text of a message: no line of it looks like the beginning of another message. */
const MARGIN = line`      │ `
const NARROW_MARGIN = line`│ `
const NARROW_COLUMNS = 50
/** A text begins on the line of its sender when this much room is left. */
const FIRST_CELLS_MIN = 12

export interface TranscriptRow {
  readonly row: Row
  /** Message that it belongs to. */
  readonly local: number | undefined
}

/** Rows of messages by view; a changed message is another view. */
const CACHE = new WeakMap<
  MessageView,
  { readonly columns: number; readonly rows: readonly Row[] }
>()

export function transcriptRows(chat: Chat, columns: number): readonly TranscriptRow[] {
  const rows: TranscriptRow[] = []
  const add = (row: Row, local?: number) => rows.push({ row, local })
  if (chat.isLoading) add([span('dim', line`… earlier messages`)])
  else if (chat.hasEarlier) add([span('dim', line`↑ earlier messages: PageUp`)])
  let day = ''
  for (const shown of interleave(chat.messages, chat.notices)) {
    if ('notice' in shown) {
      for (const row of noticeRows(shown.notice, columns)) add(row)
      continue
    }
    const { message } = shown
    const today = dayOf(message.sentAtMs)
    if (today !== day) add([span('dim', line`── ${today} ──`)])
    day = today
    const isFound = chat.search?.found === message.local
    for (const row of messageRows(message, columns)) {
      add(isFound ? row.map(({ text }) => span('match', text)) : row, message.local)
    }
  }
  for (const gap of chat.gaps) {
    for (const text of wrap(gapLine(gap), { cells: columns })) add([span('error', text)])
  }
  if (rows.length === 0)
    add([span('dim', line`No messages yet. What you type is sent with Enter.`)])
  return rows
}

const noticeRows = (notice: NoticeView, columns: number): readonly Row[] =>
  wrap(noticeLine(notice), { cells: columns }).map((text) => [span('dim', text)])

function messageRows(message: MessageView, columns: number): readonly Row[] {
  const known = CACHE.get(message)
  if (known?.columns === columns) return known.rows
  const rows = layMessage(message, columns)
  CACHE.set(message, { columns, rows })
  return rows
}

function layMessage(message: MessageView, columns: number): readonly Row[] {
  const head = headOf(message, columns)
  const margin = columns < NARROW_COLUMNS ? NARROW_MARGIN : MARGIN
  const cells = Math.max(1, columns - cellsOf(margin))
  const left = columns - cellsOf(join(head.map(({ text }) => text)))
  const isBeside = left >= FIRST_CELLS_MIN
  const text = paragraph(message.text, line``)
  const lines = wrap(text, isBeside ? { cells, firstCells: left } : { cells })
  const under = (part: SafeText): Row => [span('dim', margin), span('text', part)]
  const rows: Row[] = isBeside
    ? [[...head, span('text', lines[0] ?? line``)], ...lines.slice(1).map(under)]
    : [head, ...lines.map(under)]
  const state = stateWords(message)
  const isWay = message.reason === undefined
  // The way alone is not worth a row of a small screen.
  return withState(rows, {
    state,
    margin,
    columns,
    mayBeLeftOut: isWay && columns < NARROW_COLUMNS
  })
}

function headOf(message: MessageView, columns: number): Span[] {
  const sender = cut(name(message.sender), Math.max(4, Math.floor(columns / 3)))
  return [
    span('dim', line`${timeOf(message.sentAtMs)} `),
    span('mark', line`${markOf(message.state)} `),
    span(message.outgoing ? 'own' : 'other', line`${sender}: `)
  ]
}

/** Why it is not further, or the way that it took; the mark says the rest. */
function stateWords({ state, reason, path }: MessageView): SafeText {
  if (reason !== undefined) return line`${state}: ${reason}`
  if (path === undefined) return line``
  return path === 'direct' ? line`direct` : line`by relay`
}

/** Behind the text when there is room, else on a row of its own. */
function withState(
  rows: readonly Row[],
  options: { state: SafeText; margin: SafeText; columns: number; mayBeLeftOut: boolean }
): readonly Row[] {
  const { state, margin, columns, mayBeLeftOut } = options
  if (state.text === '') return rows
  const last = rows.at(-1) ?? []
  const used = cellsOf(join(last.map(({ text }) => text)))
  if (used + 2 + cellsOf(state) <= columns) {
    return [...rows.slice(0, -1), [...last, span('dim', join([spaces(2), state]))]]
  }
  if (mayBeLeftOut) return rows
  const below = wrap(state, { cells: Math.max(1, columns - cellsOf(margin)) })
  return [...rows, ...below.map((part): Row => [span('dim', margin), span('dim', part)])]
}
