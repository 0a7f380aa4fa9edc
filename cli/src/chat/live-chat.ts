// A chat on a terminal: an input line at the bottom, messages above it as they come, the marks of own messages changing
// in place: ○ queued, ✓ accepted by a relay, ✓✓ on a device of the contact.
import type { MessageView, NodeEvent } from '@kith/node'
import type { Context, LineEditor, Session } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { liveEvents } from '../live-events.ts'
import { checkText } from '../message-text.ts'
import { line, name, type SafeText } from '../output.ts'
import {
  eventLine,
  gapLine,
  hasReached,
  interleave,
  MARK_COLUMN,
  markOf,
  messageLine,
  noticeLine
} from '../transcript.ts'
import type { ChatOptions } from './piped-chat.ts'
import { Screen } from './screen.ts'

/** Characters of a message repeated when its mark cannot be changed in place. */
const EXCERPT_CHARACTERS = 30

/** Until Ctrl-D, Ctrl-C or `/quit`. */
export async function liveChat(
  context: Context,
  session: Session,
  options: ChatOptions & { editor: LineEditor }
): Promise<ExitCode> {
  const chat = new LiveChat(context, session, options)
  try {
    await chat.run()
    return EXIT.ok
  } finally {
    chat.stop()
  }
}

class LiveChat {
  private readonly context: Context
  private readonly session: Session
  private readonly options: ChatOptions & { editor: LineEditor }
  private readonly ending = new AbortController()
  private readonly screen = new Screen()
  /** Newest view of own messages on the screen. */
  private readonly states = new Map<number, MessageView>()
  private failure: unknown

  constructor(context: Context, session: Session, options: ChatOptions & { editor: LineEditor }) {
    this.context = context
    this.session = session
    this.options = options
  }

  stop(): void {
    this.ending.abort()
  }

  async run(): Promise<void> {
    const signal = AbortSignal.any([this.context.signal, this.ending.signal])
    const { who, history, editor } = this.options
    const { clock, startedAtMs } = this.context
    const events = liveEvents(this.session, { who, clock, startedAtMs, signal })
    const { messages, gaps, notices } = await this.session.api.listMessages({
      with: who,
      limit: Math.max(1, history)
    })
    const legend = line`chat with ${name(who)}   ○ queued  ✓ accepted  ✓✓ delivered   Ctrl-D ends`
    this.print(this.context.output.style('dim', legend), legend)
    for (const shown of history > 0 ? interleave(messages, notices) : []) {
      if ('message' in shown) this.showMessage(shown.message)
      else this.print(this.context.output.style('dim', noticeLine(shown.notice)))
    }
    for (const gap of gaps) this.print(gapLine(gap))
    const following = this.follow(events)
    for await (const text of editor.lines('> ', signal)) {
      if (text.trim() === '/quit') break
      if (text.trim() !== '') await this.send(text)
    }
    this.ending.abort()
    await following
    if (this.failure !== undefined && !this.context.signal.aborted) throw this.failure
  }

  private async send(text: string): Promise<void> {
    try {
      this.showMessage(
        await this.session.api.sendMessage({ to: this.options.who, text: checkText(text) })
      )
    } catch (error) {
      // Nothing is lost: the text stands in the history of the input line (arrow up).
      this.print(this.context.output.style('red', line`${failureText(error)}`))
    }
  }

  private async follow(events: AsyncIterable<NodeEvent>): Promise<void> {
    try {
      for await (const event of events) this.take(event)
    } catch (error) {
      this.failure = error
      this.ending.abort()
    }
  }

  private take(event: NodeEvent): void {
    if (event.type === 'message' || event.type === 'state') {
      if (event.message.conversation === this.options.conversation) this.showMessage(event.message)
      return
    }
    if (event.type === 'gap' || event.type === 'gap-closed') {
      if (event.gap.conversation !== this.options.conversation) return
    }
    if (event.type === 'devices' && event.conversation !== this.options.conversation) return
    const text = eventLine(event)
    if (text !== undefined && event.type !== 'contact') {
      this.print(this.context.output.style('dim', text), text)
    }
  }

  /** Prints a message that is not on the screen; otherwise brings its mark up to date. */
  private showMessage(message: MessageView): void {
    const { output } = this.context
    if (!this.screen.holds(message) && !this.states.has(message.local)) {
      const plain = { ...output, style: (_: unknown, text: SafeText) => text }
      const text = messageLine(message, output, { withState: false })
      this.print(text, messageLine(message, plain, { withState: false }), message)
      if (message.outgoing) this.states.set(message.local, message)
      return
    }
    const before = this.states.get(message.local)
    if (before === undefined || hasReached(before.state, message.state)) return
    this.states.set(message.local, message)
    const { editor } = this.options
    const up = this.screen.rowsUp(message, editor)
    if (up !== undefined) editor.overwrite(up, MARK_COLUMN, markOf(message.state))
    else if (message.state === 'delivered') this.print(output.style('dim', lateMark(message)))
  }

  /** `plain` is the same text without styles, for counting rows. */
  private print(text: SafeText, plain: SafeText = text, message?: MessageView): void {
    const { editor } = this.options
    this.screen.printed(plain.text, editor.columns, message)
    editor.print(text)
  }
}

function lateMark(message: MessageView): SafeText {
  const excerpt = [...message.text].slice(0, EXCERPT_CHARACTERS).join('')
  return line`      ${markOf(message.state)} ${excerpt}`
}

function failureText(error: unknown): string {
  return error instanceof Error ? `not sent: ${error.message}` : 'not sent'
}
