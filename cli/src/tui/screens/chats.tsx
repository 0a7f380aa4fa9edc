// Conversations: the list, and the open one beside it, or instead of it on a narrow terminal.
import { Box } from 'ink'
import { line, name } from '../../output.ts'
import { composerRows } from '../composer-layout.ts'
import { composerRowsMax, type Layout, layoutOf, messageRows } from '../layout.ts'
import { type Chat, chatOf, chatsInOrder, type Model, unreadOf } from '../model/model.ts'
import type { Theme } from '../theme.ts'
import { bar, ends, type Row, span } from '../widgets/row.ts'
import { Rows } from '../widgets/rows.tsx'
import { transcriptRows } from '../widgets/transcript-rows.ts'

export function Chats({ model, theme }: { readonly model: Model; readonly theme: Theme }) {
  const { listColumns, chatColumns, bodyRows } = layoutOf(model)
  const chat = chatOf(model)
  return (
    <Box>
      {listColumns === 0 ? null : (
        <Rows rows={listRows(model)} theme={theme} columns={listColumns} height={bodyRows} />
      )}
      {listColumns === 0 || chatColumns === 0 ? null : (
        <Rows
          rows={Array.from({ length: bodyRows }, (): Row => [span('dim', line`│`)])}
          theme={theme}
          columns={1}
          height={bodyRows}
        />
      )}
      {chatColumns === 0 ? null : (
        <Rows
          rows={chat === undefined ? [] : conversationRows(model, chat)}
          theme={theme}
          columns={chatColumns}
          height={bodyRows}
        />
      )}
    </Box>
  )
}

function listRows(model: Model): readonly Row[] {
  const { listColumns, bodyRows } = layoutOf(model)
  const order = chatsInOrder(model)
  if (order.length === 0) return emptyRows(model)
  const at = order.findIndex(({ contact }) => contact.conversation === model.current)
  // The marked line stays in sight.
  const first = Math.max(0, Math.min(at - Math.floor(bodyRows / 2), order.length - bodyRows))
  return order.slice(first, first + bodyRows).map((chat) => listRow(model, chat, listColumns))
}

function emptyRows({ account }: Model): readonly Row[] {
  if (account === undefined) return [[span('dim', line`Reading…`)]]
  return [
    [span('text', line`No conversations yet.`)],
    [span('dim', line`n  add a contact by link`)],
    [span('dim', line`a  your own link, to give away`)]
  ]
}

function listRow(model: Model, chat: Chat, columns: number): Row {
  const { contact, draft } = chat
  const unread = unreadOf(chat)
  const hasMore = chat.hasEarlier && unread === chat.messages.length
  const count = line`${unread}${hasMore ? '+' : ''}`
  const isMarked = contact.conversation === model.current
  const isOpen = isMarked && model.isInChat
  const lead = isOpen ? line`>` : line` `
  const left: Row = [
    span(unread > 0 ? 'unread' : 'text', line`${lead}${name(contact.name)}`),
    span('good', contact.isVerified ? line` ✓` : line``),
    span('dim', draft.text === '' || isOpen ? line`` : line` (draft)`)
  ]
  const row = ends(left, unread > 0 ? [span('unread', line`${count} `)] : [], columns)
  return isMarked && !model.isInChat ? bar(row, 'selected', columns) : row
}

function conversationRows(model: Model, chat: Chat): readonly Row[] {
  const layout = layoutOf(model)
  const { chatColumns } = layout
  const composer = composerOf(model, chat, layout)
  const height = messageRows(layout, composer.length)
  const all = transcriptRows(chat, chatColumns)
  const end = Math.max(0, all.length - chat.scroll)
  const shown = all.slice(Math.max(0, end - height), end).map(({ row }) => row)
  const above = Array.from({ length: Math.max(0, height - shown.length) }, (): Row => [])
  return [titleRow(chat, chatColumns), ...above, ...shown, ...composer]
}

function titleRow(chat: Chat, columns: number): Row {
  const { contact, scroll } = chat
  const unread = unreadOf(chat)
  const verified = contact.isVerified ? line` ✓ verified` : line``
  const below = scroll === 0 ? line`` : line`↓ ${scroll} rows`
  const fresh = scroll > 0 && unread > 0 ? line` (${unread} new)` : line``
  const left: Row = [span('title', line` ${name(contact.name)}`), span('title', verified)]
  return bar(ends(left, [span('title', line`${below}${fresh} `)], columns), 'title', columns)
}

/** What is written, as many rows of it as are free, those with the cursor among them. */
function composerOf(model: Model, chat: Chat, layout: Layout): readonly Row[] {
  const { rows, row } = composerRows(chat.draft, layout.chatColumns)
  const height = Math.min(rows.length, composerRowsMax(layout))
  const first = firstComposerRow({ row, height })
  const mark = model.isInChat ? 'mark' : 'dim'
  return rows
    .slice(first, first + height)
    .map((text, index) => [
      span(mark, first + index === 0 ? line`> ` : line`  `),
      span('text', text)
    ])
}

const firstComposerRow = ({ row, height }: { row: number; height: number }): number =>
  Math.max(0, row - height + 1)

/** Cell of the cursor within the body; undefined when nothing is written here. */
export function chatCursor(model: Model): { row: number; column: number } | undefined {
  const chat = chatOf(model)
  if (!model.isInChat || chat === undefined) return undefined
  const layout = layoutOf(model)
  const { rows, row, column } = composerRows(chat.draft, layout.chatColumns)
  const height = Math.min(rows.length, composerRowsMax(layout))
  const left = layout.listColumns === 0 ? 0 : layout.listColumns + 1
  return {
    row: layout.bodyRows - height + row - firstComposerRow({ row, height }),
    column: left + 2 + column
  }
}
