// What happened, line by line, and one hash over all of it: the same seed must give the same hash.
import { createHash } from 'node:crypto'

/** Lines that a failure shows. */
const SHOWN = 30

export class Trace {
  readonly lines: string[] = []
  readonly #hash = createHash('sha256')
  #digest: string | undefined

  add(line: string): void {
    this.lines.push(line)
    this.#hash.update(line).update('\n')
  }

  /** Hexadecimal; the trace takes nothing more. */
  get hash(): string {
    this.#digest ??= this.#hash.digest('hex')
    return this.#digest
  }

  last(): string {
    return this.lines.slice(-SHOWN).join('\n')
  }
}

/** Where two traces part; undefined when they are the same. */
export function firstDifference(a: Trace, b: Trace): string | undefined {
  const length = Math.max(a.lines.length, b.lines.length)
  for (let at = 0; at < length; at += 1) {
    if (a.lines[at] === b.lines[at]) continue
    return `line ${at + 1}:\n  first run:  ${a.lines[at] ?? '(ended)'}\n  second run: ${b.lines[at] ?? '(ended)'}`
  }
  return undefined
}
