// A terminal of a few rows that understands what the chat sends: text with wrapping, line breaks, cursor movement,
// erasing. Anything else is an error, so that a test fails on a sequence nobody meant to send.
import { Writable } from 'node:stream'

export class VirtualTerminal extends Writable {
  readonly columns: number
  readonly rows: number
  readonly isTTY = true
  private readonly lines: string[][] = [[]]
  private row = 0
  private column = 0

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false })
    this.columns = columns
    this.rows = rows
  }

  /** Everything from the first line on, scrolled away or not. */
  get text(): string[] {
    return this.lines.map((line) => line.join('').trimEnd())
  }

  override _write(chunk: string | Buffer, _: string, done: () => void): void {
    const text = String(chunk)
    for (let at = 0; at < text.length; ) at += this.take(text.slice(at))
    done()
  }

  private take(text: string): number {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is made of them
    const sequence = /^\u001B\[(\d*)([A-Za-z])/.exec(text)
    if (sequence !== null) {
      this.control(sequence[2] as string, sequence[1] === '' ? undefined : Number(sequence[1]))
      return sequence[0].length
    }
    const character = String.fromCodePoint(text.codePointAt(0) as number)
    if (character === '\n') this.down(1, true)
    if (character === '\n' || character === '\r') this.column = 0
    else if (character < ' ') throw new Error(`unexpected ${JSON.stringify(text.slice(0, 10))}`)
    else this.put(character)
    return character.length
  }

  private control(letter: string, given: number | undefined): void {
    const count = given ?? 1
    if (letter === 'A') this.row = Math.max(this.top, this.row - count)
    else if (letter === 'B') this.down(count, false)
    else if (letter === 'C') this.column = Math.min(this.columns - 1, this.column + count)
    else if (letter === 'D') this.column = Math.max(0, this.column - count)
    else if (letter === 'G') this.column = count - 1
    else if (letter === 'K') this.current.length = Math.min(this.current.length, this.column)
    else if (letter === 'J' && (given ?? 0) === 0) this.eraseBelow()
    else if (letter !== 'm') throw new Error(`unexpected control ${letter}`)
  }

  private get top(): number {
    return Math.max(0, this.lines.length - this.rows)
  }

  private get current(): string[] {
    return this.lines[this.row] as string[]
  }

  private down(count: number, mayScroll: boolean): void {
    for (let step = 0; step < count; step++) {
      if (this.row + 1 < this.lines.length) this.row++
      else if (mayScroll) this.row = this.lines.push([]) - 1
    }
  }

  private put(character: string): void {
    if (this.column >= this.columns) {
      this.down(1, true)
      this.column = 0
    }
    while (this.current.length < this.column) this.current.push(' ')
    this.current[this.column++] = character
  }

  private eraseBelow(): void {
    this.current.length = Math.min(this.current.length, this.column)
    // The rows stay, as on a screen; they are only empty.
    for (let row = this.row + 1; row < this.lines.length; row++) this.lines[row] = []
  }
}
