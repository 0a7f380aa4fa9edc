// What stands above the input line of a live chat, so that the state of a message can be changed in place. Knows rows
// only; drawing is the editor's. A message whose place is not certain is left alone.
import type { MessageView } from '@kith/node'
import { rowsOf } from './width.ts'

/** Lines remembered; a terminal shows fewer. */
const LINES_MAX = 500

interface PrintedLine {
  readonly local: number | undefined
  readonly rows: number | undefined
  readonly columns: number
}

export class Screen {
  private readonly lines: PrintedLine[] = []

  /** `text` without control sequences, as it was printed at this width. */
  printed(text: string, columns: number, message?: MessageView): void {
    this.lines.push({ local: message?.local, rows: rowsOf(text, columns), columns })
    if (this.lines.length > LINES_MAX) this.lines.shift()
  }

  /** Whether the message is on the screen at all, seen or scrolled away. */
  holds(message: MessageView): boolean {
    return this.lines.some((line) => line.local === message.local)
  }

  /** Rows from the input line up to the first row of the message; undefined when not certain or scrolled away. */
  rowsUp(message: MessageView, terminal: { columns: number; rows: number }): number | undefined {
    let up = 0
    for (let index = this.lines.length - 1; index >= 0; index--) {
      const line = this.lines[index] as PrintedLine
      if (line.rows === undefined || line.columns !== terminal.columns) return undefined
      up += line.rows
      // One row for the input line itself.
      if (up > terminal.rows - 1) return undefined
      if (line.local === message.local) return up
    }
    return undefined
  }
}
