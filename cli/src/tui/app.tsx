// The whole screen as a function of the model: header, the screen the person is on, footer, and the terminal's own cursor
// where text is typed.
import { Box, useCursor } from 'ink'
import { line, name } from '../output.ts'
import { COLUMNS_MIN, layoutOf, ROWS_MIN } from './layout.ts'
import { type Model, unreadOf } from './model/model.ts'
import { accountRows } from './screens/account.ts'
import { Chats, chatCursor } from './screens/chats.tsx'
import { deviceRows } from './screens/devices.ts'
import { helpRows } from './screens/help.ts'
import { peopleRows } from './screens/people.ts'
import { safetyRows } from './screens/safety.ts'
import { welcomeRows } from './screens/welcome.ts'
import { wordsRows } from './screens/words.ts'
import { THEMES, type Theme } from './theme.ts'
import { footerRows } from './widgets/footer-rows.ts'
import { bar, ends, type Row, span } from './widgets/row.ts'
import { Rows } from './widgets/rows.tsx'

export function App({ model }: { readonly model: Model }) {
  const { columns, rows } = model
  const theme = THEMES[model.theme]
  const { setCursorPosition } = useCursor()
  if (columns < COLUMNS_MIN || rows < ROWS_MIN) {
    setCursorPosition(undefined)
    const words: Row = [span('text', line`too small`)]
    return <Rows rows={[words]} theme={theme} columns={columns} height={rows} />
  }
  setCursorPosition(cursorOf(model))
  const footer = footerRows(model)
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Rows rows={[headerRow(model)]} theme={theme} columns={columns} height={1} />
      <Body model={model} theme={theme} />
      <Rows rows={footer.rows} theme={theme} columns={columns} height={footer.rows.length} />
    </Box>
  )
}

function Body({ model, theme }: { readonly model: Model; readonly theme: Theme }) {
  if (model.screen === 'chats') return <Chats model={model} theme={theme} />
  const { bodyRows } = layoutOf(model)
  return (
    <Rows rows={bodyOf(model, bodyRows)} theme={theme} columns={model.columns} height={bodyRows} />
  )
}

function bodyOf(model: Model, height: number): readonly Row[] {
  switch (model.screen) {
    case 'people':
      return peopleRows(model, height)
    case 'safety':
      return safetyRows(model)
    case 'devices':
      return deviceRows(model, height)
    case 'account':
      return accountRows(model)
    case 'words':
      return wordsRows(model)
    case 'welcome':
      return welcomeRows(model)
    case 'help':
      return helpRows(model, height)
    case 'chats':
      return []
  }
}

function headerRow(model: Model): Row {
  const { account, homes, requests, chats, columns } = model
  const unread = [...chats.values()].reduce((sum, chat) => sum + unreadOf(chat), 0)
  const who = account === undefined ? line`` : line`  ${name(account.name)}`
  const asked = requests.length === 0 ? line`` : line`${requests.length} asking  `
  const news = unread === 0 ? line`` : line`${unread} unread  `
  const isReached = homes.some(({ connected }) => connected)
  const relay = account === undefined ? line`` : isReached ? line`relay ✓ ` : line`no relay `
  const left: Row = [span('bar', line` kith${who}`)]
  return bar(ends(left, [span('bar', line`${asked}${news}${relay}`)], columns), 'bar', columns)
}

/** As ink counts: from the upper left corner. */
function cursorOf(model: Model): { x: number; y: number } | undefined {
  const footer = footerRows(model)
  const footerTop = model.rows - footer.rows.length
  if (footer.cursor !== undefined) {
    return { x: footer.cursor.column, y: footerTop + footer.cursor.row }
  }
  if (model.question !== undefined || model.screen !== 'chats') return undefined
  const cursor = chatCursor(model)
  return cursor && { x: cursor.column, y: 1 + cursor.row }
}
