// Events for a command that follows conversations: what was stored since the command began, what happens from then on,
// and, when the holder of the store changed in between, what was missed. Each message is announced once.
import type { MessageView, NodeEvent } from '@kith/node'
import type { Clock } from './clock.ts'
import type { Session } from './command.ts'
import { CommandError } from './errors.ts'

/** Events a command has not printed yet; its output is stuck when there are more. */
const QUEUED_MAX = 10_000
/** Messages remembered to tell new from known; live events repeat only recent ones. */
const KNOWN_MAX = 20_000
/** Messages of one conversation read at a time when catching up. */
const CATCH_UP_LIMIT = 200
/** A time server sets clocks back by less than this; what it set back must not cost a message its announcement. */
const CLOCK_STEP_MS = 60_000

const keyOf = (message: MessageView): string => `${message.conversation}/${message.local}`

/** When a command began, and the clock that said so. */
interface Beginning {
  readonly startedAtMs: number
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Whether a message was stored since a command began. One from far ahead was stored before the clock was set back.
 */
export function isSince({ storedAtMs }: MessageView, { startedAtMs, clock }: Beginning): boolean {
  return storedAtMs >= startedAtMs && storedAtMs <= clock.now() + CLOCK_STEP_MS
}

export interface LiveOptions extends Beginning {
  /** Contact name or account id; all contacts when absent. */
  readonly who?: string
  readonly signal: AbortSignal
}

/**
 * Yields until the signal aborts. Subscribes at once, at the call, so that what is sent afterwards is followed. Throws
 * `overloaded` when the caller takes too long, and what the messenger throws.
 */
export function liveEvents(session: Session, options: LiveOptions): AsyncIterable<NodeEvent> {
  return new LiveEvents(session, options).read()
}

class LiveEvents {
  private readonly session: Session
  private readonly options: LiveOptions
  private readonly queue: NodeEvent[] = []
  private readonly known = new Map<string, MessageView>()
  private failure: unknown
  private isOver = false
  private wake = (): void => undefined

  constructor(session: Session, options: LiveOptions) {
    this.session = session
    this.options = options
    options.signal.addEventListener('abort', () => this.end(undefined), { once: true })
    session.onReopened(() => void this.catchUp())
    void this.follow()
    void this.catchUp()
  }

  async *read(): AsyncIterable<NodeEvent> {
    while (true) {
      for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift())
        yield event
      if (this.failure !== undefined) throw this.failure
      if (this.isOver || this.options.signal.aborted) return
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  private end(failure: unknown): void {
    this.isOver = true
    this.failure ??= failure
    this.wake()
  }

  private async follow(): Promise<void> {
    try {
      for await (const event of this.session.api.events(this.options.signal)) this.take(event)
      this.end(undefined)
    } catch (error) {
      this.end(this.options.signal.aborted ? undefined : error)
    }
  }

  private async catchUp(): Promise<void> {
    try {
      const { api } = this.session
      const { who } = this.options
      const contacts =
        who === undefined ? (await api.listContacts()).map((one) => one.account) : [who]
      for (const contact of contacts) {
        for (const message of await this.listSince(contact)) this.takeListed(message)
      }
    } catch (error) {
      this.end(this.options.signal.aborted ? undefined : error)
    }
  }

  /** The newest messages of a conversation, back to where the command began. */
  private async listSince(contact: string): Promise<readonly MessageView[]> {
    const listed: MessageView[] = []
    for (;;) {
      const before = listed[0]?.id
      const page = before === undefined ? {} : { before }
      const options = { with: contact, limit: CATCH_UP_LIMIT, ...page }
      const { messages } = await this.session.api.listMessages(options)
      listed.unshift(...messages)
      const isWhole = messages.length < CATCH_UP_LIMIT || listed.length >= QUEUED_MAX
      const isBack = !messages.some((message) => isSince(message, this.options))
      if (isWhole || isBack || messages[0]?.id === undefined) return listed
    }
  }

  private takeListed(message: MessageView): void {
    const known = this.known.get(keyOf(message))
    if (known === undefined) {
      if (isSince(message, this.options)) this.take({ type: 'message', message })
    } else if (known.state !== message.state) {
      this.take({ type: 'state', message })
    }
  }

  private take(event: NodeEvent): void {
    if (event.type === 'message' || event.type === 'state') {
      const key = keyOf(event.message)
      if (event.type === 'message' && this.known.has(key)) return
      this.known.set(key, event.message)
      if (this.known.size > KNOWN_MAX) this.known.delete(this.known.keys().next().value as string)
    }
    this.queue.push(event)
    if (this.queue.length > QUEUED_MAX) {
      this.end(new CommandError('overloaded', 'Events come faster than they can be printed.'))
    }
    this.wake()
  }
}
