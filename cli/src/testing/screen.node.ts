// A program on a real pseudo-terminal of this machine (util-linux `script`), and what a terminal shows of it (xterm.js
// without a window). Everything that is started is stopped.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IBufferCell } from '@xterm/headless'
import xterm from '@xterm/headless'
import { pause, systemClock } from '../clock.ts'

export interface ScreenOptions {
  readonly columns: number
  readonly rows: number
  readonly env: Readonly<Record<string, string>>
  /** For the name of the terminal. */
  readonly folder: string
}

/** What stands in a cell, and how. */
export interface Cell {
  /** Empty for the second half of a wide character. */
  readonly text: string
  readonly cells: number
  /** Of the sixteen colours; undefined: the terminal's own. */
  readonly color: number | undefined
  readonly ground: number | undefined
  readonly isBold: boolean
  readonly isInverse: boolean
}

function cellOf(cell: IBufferCell | undefined): Cell {
  return {
    text: cell?.getChars() ?? '',
    cells: cell?.getWidth() ?? 1,
    color: cell?.isFgPalette() ? cell.getFgColor() : undefined,
    ground: cell?.isBgPalette() ? cell.getBgColor() : undefined,
    isBold: (cell?.isBold() ?? 0) > 0,
    isInverse: (cell?.isInverse() ?? 0) > 0
  }
}

/** Longest wait for something to be shown. */
const WAIT_MS = 15_000
const POLL_MS = 15

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

export class Screen {
  readonly terminal: InstanceType<typeof xterm.Terminal>
  /** Everything the program sent. */
  sent = ''
  private readonly child: ChildProcess
  private readonly ttyFile: string
  private isOver = false

  private constructor(argv: readonly string[], options: ScreenOptions) {
    const { columns: cols, rows, env, folder } = options
    this.terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 200 })
    this.ttyFile = join(folder, `tty-${process.hrtime.bigint()}`)
    const command = `stty cols ${cols} rows ${rows}; tty > ${quoted(this.ttyFile)}; exec ${argv.map(quoted).join(' ')}`
    const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, KITH_HOME: ____, ...inherited } = process.env
    this.child = spawn('script', ['-qefc', command, '/dev/null'], {
      env: { ...inherited, TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit']
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.sent += text
      this.terminal.write(text)
    })
    this.child.stdin?.on('error', () => undefined)
    this.child.on('close', () => {
      this.isOver = true
    })
  }

  static start(argv: readonly string[], options: ScreenOptions): Screen {
    return new Screen(argv, options)
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  async resize(columns: number, rows: number): Promise<void> {
    const tty = (await readFile(this.ttyFile, 'utf8')).trim()
    this.terminal.resize(columns, rows)
    execFileSync('stty', ['-F', tty, 'cols', `${columns}`, 'rows', `${rows}`])
  }

  /** The rows that are in sight, without spaces at their ends. */
  get rows(): string[] {
    const { active } = this.terminal.buffer
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? ''
    )
  }

  /** The rows that are in sight, cell by cell. */
  get cells(): readonly (readonly Cell[])[] {
    const { active } = this.terminal.buffer
    return Array.from({ length: this.terminal.rows }, (_, row) => {
      const line = active.getLine(active.viewportY + row)
      return Array.from({ length: this.terminal.cols }, (__, column) =>
        cellOf(line?.getCell(column))
      )
    })
  }

  get text(): string {
    return this.rows.join('\n')
  }

  /** Waits until the screen shows it; throws with the screen when it does not. */
  async shows(wanted: string | RegExp | ((screen: Screen) => boolean), waitMs = WAIT_MS) {
    const giveUpAt = systemClock.now() + waitMs
    const isShown = () => {
      if (typeof wanted === 'function') return wanted(this)
      return typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text)
    }
    while (!isShown()) {
      if (systemClock.now() > giveUpAt || this.isOver) {
        throw new Error(`never shown: ${wanted}\n${this.text}\n(over: ${this.isOver})`)
      }
      await pause(systemClock, POLL_MS, new AbortController().signal)
    }
  }

  /** The exit code, once the program has ended. */
  async ended(): Promise<number | null> {
    if (!this.isOver) await once(this.child, 'close')
    await new Promise<void>((resolve) => this.terminal.write('', resolve))
    return this.child.exitCode
  }

  async stop(): Promise<void> {
    if (!this.isOver) {
      this.child.kill('SIGTERM')
      await once(this.child, 'close')
    }
    this.terminal.dispose()
  }
}
