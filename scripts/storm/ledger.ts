// What a storm saw: everything that was sent, and what each person's processes said about it.
import { readPeerLine } from './peer-line.ts'

/** A process that says what happens, a line each. */
interface Speaker {
  readonly output: readonly string[]
}

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
  #speaker: Speaker | undefined
  #read = 0

  /** From now on this process is the person; what the one before said is counted first. */
  follow(speaker: Speaker): void {
    this.update()
    this.#speaker = speaker
    this.#read = 0
  }

  /** Whether any process of the person has said that it has the text on disk. */
  isKept(text: string): boolean {
    return this.queued.has(text) || this.accepted.has(text) || this.delivered.has(text)
  }

  /** Counts what was said since the last call. */
  update(): void {
    const output = this.#speaker?.output ?? []
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
