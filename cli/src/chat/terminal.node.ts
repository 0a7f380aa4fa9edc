// The line editor of a live chat over Node's readline: keeps the input line at the bottom while text is printed above.
import { createInterface, type Interface } from 'node:readline'
import type { WriteStream } from 'node:tty'
import type { LineEditor } from '../command.ts'
import type { SafeText } from '../output.ts'
import { rowsOf } from './width.ts'

/** What a terminal that does not tell its size most likely has. */
const COLUMNS_DEFAULT = 80
const ROWS_DEFAULT = 24
/** Lines typed that arrow-up brings back; kept in memory only. */
const HISTORY_LINES = 100

/** Control Sequence Introducer, ECMA-48 §5.4. */
const CSI = '\u001B['
const CLEAR_BELOW = `${CSI}0J`

/** `input` may be any stream that readline takes; tests bring their own. */
export function createLineEditor(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream & Partial<Pick<WriteStream, 'columns' | 'rows'>>
): LineEditor {
  return new Terminal(input, output)
}

class Terminal implements LineEditor {
  private readonly input: NodeJS.ReadableStream
  private readonly output: NodeJS.WritableStream & Partial<Pick<WriteStream, 'columns' | 'rows'>>
  private readline: Interface | undefined
  private promptText = ''

  constructor(
    input: NodeJS.ReadableStream,
    output: NodeJS.WritableStream & Partial<Pick<WriteStream, 'columns' | 'rows'>>
  ) {
    this.input = input
    this.output = output
  }

  get columns(): number {
    return this.output.columns ?? COLUMNS_DEFAULT
  }

  get rows(): number {
    return this.output.rows ?? ROWS_DEFAULT
  }

  async *lines(prompt: string, signal: AbortSignal): AsyncIterable<string> {
    if (signal.aborted) return
    const { input, output } = this
    const readline = createInterface({
      input,
      output,
      prompt,
      terminal: true,
      historySize: HISTORY_LINES
    })
    this.readline = readline
    this.promptText = prompt
    const typed: string[] = []
    let isOver = false
    let wake = (): void => undefined
    const end = () => {
      isOver = true
      wake()
    }
    readline.on('line', (text) => {
      this.eraseTyped(text)
      typed.push(text)
      wake()
    })
    readline.on('SIGINT', end)
    readline.on('close', end)
    signal.addEventListener('abort', end, { once: true })
    readline.prompt()
    try {
      while (true) {
        for (let text = typed.shift(); text !== undefined; text = typed.shift()) {
          yield text
          if (this.readline !== undefined) readline.prompt()
        }
        if (isOver) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      signal.removeEventListener('abort', end)
      this.readline = undefined
      readline.close()
      output.write('\n')
    }
  }

  print(text: SafeText): void {
    this.aroundInput(`${text.text}\n`)
  }

  overwrite(rowsUp: number, column: number, text: SafeText): void {
    this.aroundInput(`${CSI}${rowsUp}A${CSI}${column + 1}G${text.text}${CSI}${rowsUp}B\r`)
  }

  /** Takes the input line away, writes from its first row on, and draws it again below. */
  private aroundInput(text: string): void {
    const { readline, output } = this
    if (readline === undefined) {
      output.write(text)
      return
    }
    const { rows } = readline.getCursorPos()
    output.write(`${rows > 0 ? `${CSI}${rows}A` : ''}\r${CLEAR_BELOW}${text}`)
    // The cursor stands on the first row of the input again; readline would go up from where it drew last.
    ;(readline as Interface & { prevRows?: number }).prevRows = 0
    readline.prompt(true)
  }

  /** The typed line comes back as a message; when its rows cannot be known it stays. */
  private eraseTyped(text: string): void {
    const rows = rowsOf(this.promptText + text, this.columns)
    if (rows !== undefined) this.output.write(`${CSI}${rows}A\r${CLEAR_BELOW}`)
  }
}
