// Which part of the screen is whose: pure arithmetic on columns and rows, the same for steps that scroll and for drawing.
import type { Model } from './model/model.ts'
import { footerRows } from './widgets/footer-rows.ts'

/** Narrower than this, one pane at a time: the list or the conversation. */
const TWO_PANES_COLUMNS = 72
/** Enough for a name and a count; more does not help a conversation. */
const LIST_COLUMNS_MAX = 30
/** Of the rows of a conversation, so that what is answered stays in sight. */
const COMPOSER_SHARE = 3
/** Below this nothing can be laid out; the screen says so. */
export const COLUMNS_MIN = 20
export const ROWS_MIN = 6

/** The title of the program. */
const HEADER_ROWS = 1
/** One row for the name of the contact. */
const TITLE_ROWS = 1
/** `> ` in front of what is typed. */
export const COMPOSER_MARGIN = 2

export interface Layout {
  readonly hasTwoPanes: boolean
  /** 0 when the list is not shown. */
  readonly listColumns: number
  /** 0 when the conversation is not shown. */
  readonly chatColumns: number
  /** Rows between header and footer. */
  readonly bodyRows: number
}

export function layoutOf(model: Model): Layout {
  const { columns, rows, isInChat } = model
  const hasTwoPanes = columns >= TWO_PANES_COLUMNS
  const bodyRows = Math.max(1, rows - HEADER_ROWS - footerRows(model).rows.length)
  if (!hasTwoPanes) {
    return {
      hasTwoPanes,
      listColumns: isInChat ? 0 : columns,
      chatColumns: isInChat ? columns : 0,
      bodyRows
    }
  }
  const listColumns = Math.min(LIST_COLUMNS_MAX, Math.floor(columns / 3))
  // One column for the line between them.
  return { hasTwoPanes, listColumns, chatColumns: columns - listColumns - 1, bodyRows }
}

export const composerRowsMax = ({ bodyRows }: Layout): number =>
  Math.max(1, Math.floor(bodyRows / COMPOSER_SHARE))

/** Rows left for messages above a composer of that many rows. */
export const messageRows = ({ bodyRows }: Layout, composerRows: number): number =>
  Math.max(1, bodyRows - TITLE_ROWS - composerRows)
