// Which lines of a piped chat are due. Own messages are printed once, in their final state; a line waits a moment for
// the earlier own ones, so that a question stands before its answer, but nothing is held up for long. Time is passed in.
import type { MessageView } from '@kith/node'

/** How long a line waits for an earlier own message to be delivered before it overtakes it. */
export const ORDER_WAIT_MS = 2_000
/** Printed messages remembered to know late news of them; older ones get no news in practice. */
const PRINTED_MAX = 10_000

interface Entry {
  message: MessageView
  readonly addedAtMs: number
}

const isFinal = (message: MessageView): boolean =>
  message.state === 'received' || message.state === 'delivered'

/** Messages of one conversation, known by their local number. */
export class Ledger {
  /** Not printed yet, in ascending order. */
  private waiting: Entry[] = []
  private readonly printed = new Set<number>()
  private readonly pendingOwn = new Set<number>()
  private ownCount = 0

  /** How many messages this chat sent. */
  get sent(): number {
    return this.ownCount
  }

  /** How many of them are not known to be delivered. */
  get pending(): number {
    return this.pendingOwn.size
  }

  /** Whether a line waits to be printed. */
  get isWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** A message that this chat sent. News of it may have come before. */
  addOwn(message: MessageView, nowMs: number): void {
    this.ownCount++
    if (this.printed.has(message.local)) return
    const known = this.find(message.local)
    if (!isFinal(known?.message ?? message)) this.pendingOwn.add(message.local)
    if (known === undefined) this.observe(message, nowMs)
  }

  /** Any news of a message of the conversation: that it exists, or its state. */
  observe(message: MessageView, nowMs: number): void {
    if (this.printed.has(message.local)) {
      if (isFinal(message)) this.pendingOwn.delete(message.local)
      return
    }
    if (isFinal(message)) this.pendingOwn.delete(message.local)
    const known = this.find(message.local)
    if (known !== undefined) {
      known.message = message
      return
    }
    this.waiting.push({ message, addedAtMs: nowMs })
    this.waiting.sort((a, b) => a.message.local - b.message.local)
  }

  /** Takes out what is to be printed now, in order. */
  takeDue(nowMs: number): readonly MessageView[] {
    const due: Entry[] = []
    for (const entry of this.waiting) {
      if (isFinal(entry.message)) due.push(entry)
      else if (nowMs - entry.addedAtMs < ORDER_WAIT_MS) break
    }
    return this.take(due)
  }

  /** Takes out everything, in whatever state it is. */
  takeAll(): readonly MessageView[] {
    return this.take(this.waiting)
  }

  private find(local: number): Entry | undefined {
    return this.waiting.find((entry) => entry.message.local === local)
  }

  private take(entries: readonly Entry[]): readonly MessageView[] {
    const taken = new Set(entries)
    for (const { message } of taken) {
      this.printed.add(message.local)
      if (this.printed.size > PRINTED_MAX) {
        this.printed.delete(this.printed.values().next().value as number)
      }
    }
    this.waiting = this.waiting.filter((entry) => !taken.has(entry))
    return [...taken].map((entry) => entry.message)
  }
}
