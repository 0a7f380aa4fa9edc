// What a storm saw: everything that was sent, and what each person's processes said about it.
import type { LocalProcess } from '../network/processes.ts'
import { readPeerLine } from './peer-line.ts'

/** One person's part, over all processes that were this person in turn. */
export class Ledger {
  readonly sent: string[] = []
  /** On its own disk; whatever happens to the process, it must arrive. */
  readonly queued = new Set<string>()
  readonly accepted = new Set<string>()
  readonly delivered = new Set<string>()
  /** Texts held of the other person. */
  readonly held = new Set<string>()
  /** Texts shown more than once as newly received. */
  readonly shownTwice = new Set<string>()
  readonly failed: string[] = []
  readonly #shown = new Set<string>()
  #process: LocalProcess | undefined
  #read = 0

  /** From now on this process is the person; what the one before said is counted first. */
  follow(started: LocalProcess): void {
    this.update()
    this.#process = started
    this.#read = 0
  }

  /** Counts what was said since the last call. */
  update(): void {
    const output = this.#process?.output ?? []
    for (; this.#read < output.length; this.#read++) this.#count(output[this.#read] ?? '')
  }

  #count(line: string): void {
    const event = readPeerLine(line)
    if (event === undefined) return
    const { type, text } = event
    if (type === 'queued') this.queued.add(text)
    if (type === 'accepted') this.accepted.add(text)
    if (type === 'delivered') this.delivered.add(text)
    if (type === 'failed') this.failed.push(text)
    if (type === 'held' || type === 'received') this.held.add(text)
    if (type !== 'received') return
    if (this.#shown.has(text)) this.shownTwice.add(text)
    this.#shown.add(text)
  }
}
