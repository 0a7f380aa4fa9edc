// A chat without a terminal: each line of standard input is a message; the transcript goes to standard output, own
// messages in their final state. At the end of input it waits until everything sent is delivered, within bounds.
import type { NodeEvent } from '@kith/node'
import { pause } from '../clock.ts'
import type { Context, Session } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { readInputLines } from '../input-text.ts'
import { isSince, liveEvents } from '../live-events.ts'
import { line } from '../output.ts'
import { interleave, messageLine, noticeLine } from '../transcript.ts'
import { Ledger, ORDER_WAIT_MS } from './ledger.ts'

export interface ChatOptions {
  /** Contact name or account id. */
  readonly who: string
  readonly conversation: string
  /** How long to wait for deliveries after the end of input. */
  readonly timeoutMs: number
  /** After that, how long to stay since the last message arrived. */
  readonly lingerMs: number
  /** Messages to show that were there before. */
  readonly history: number
}

/** 0, or 2 when a line was refused because of what it holds; the other lines are sent all the same. */
export async function pipedChat(
  context: Context,
  session: Session,
  options: ChatOptions
): Promise<ExitCode> {
  const chat = new PipedChat(context, session, options)
  try {
    return await chat.run()
  } finally {
    chat.stop()
  }
}

class PipedChat {
  private readonly context: Context
  private readonly session: Session
  private readonly options: ChatOptions
  /** Ends the stream of events together with the chat. */
  private readonly ending = new AbortController()
  private readonly ledger = new Ledger()
  private lastArrivalMs: number
  /** Prints follow one another, whoever asks for them. */
  private printing: Promise<void> = Promise.resolve()
  private cancelTimer = (): void => undefined
  private wake = (): void => undefined
  private failure: unknown

  constructor(context: Context, session: Session, options: ChatOptions) {
    this.context = context
    this.session = session
    this.options = options
    this.lastArrivalMs = context.clock.now()
  }

  stop(): void {
    this.cancelTimer()
    this.ending.abort()
  }

  async run(): Promise<ExitCode> {
    const { clock, signal, startedAtMs } = this.context
    const following = AbortSignal.any([signal, this.ending.signal])
    const { who, timeoutMs, lingerMs } = this.options
    const events = liveEvents(this.session, { who, clock, startedAtMs, signal: following })
    await this.printHistory()
    void this.follow(events)
    const isInputGood = await this.sendInput()
    const endedAtMs = clock.now()
    await this.waitUntil(() => (this.ledger.pending === 0 ? 0 : endedAtMs + timeoutMs))
    await this.waitUntil(() => (lingerMs === 0 ? 0 : this.lastArrivalMs + lingerMs))
    await this.finish()
    if (this.failure !== undefined && !signal.aborted) throw this.failure
    return isInputGood ? EXIT.ok : EXIT.usage
  }

  private async printHistory(): Promise<void> {
    const { history, who } = this.options
    if (history === 0) return
    const { messages, notices } = await this.session.api.listMessages({ with: who, limit: history })
    const { output } = this.context
    for (const shown of interleave(messages, notices)) {
      if ('notice' in shown) {
        await output.value({ type: 'notice', notice: shown.notice })
        await output.print(noticeLine(shown.notice))
        continue
      }
      const { message } = shown
      if (isSince(message, this.context)) continue
      await output.value({ type: 'message', message })
      await output.print(messageLine(message, output, { withState: true }))
    }
  }

  private async follow(events: AsyncIterable<NodeEvent>): Promise<void> {
    try {
      for await (const event of events) this.take(event)
    } catch (error) {
      this.failure = error
      this.wake()
    }
  }

  private take(event: NodeEvent): void {
    const { conversation } = this.options
    if (event.type === 'gap' || event.type === 'gap-closed') {
      if (event.gap.conversation === conversation)
        this.print(() => this.context.output.value(event))
      return
    }
    if (event.type === 'devices' && event.conversation === conversation) {
      this.print(() => this.context.output.value(event))
      this.print(() => this.context.output.print(noticeLine(event)))
      return
    }
    // Connections and contacts are not part of a transcript.
    if (event.type !== 'message' && event.type !== 'state') return
    const { message } = event
    if (message.conversation !== conversation) return
    const nowMs = this.context.clock.now()
    if (!message.outgoing) this.lastArrivalMs = nowMs
    this.print(() => this.context.output.value(event))
    this.ledger.observe(message, nowMs)
    this.printDue()
    this.wake()
  }

  private async sendInput(): Promise<boolean> {
    const { clock, output, signal, stdin } = this.context
    let isGood = true
    for await (const input of readInputLines(stdin, signal)) {
      if (this.failure !== undefined) return isGood
      if ('failure' in input) {
        isGood = false
        await output.failure(input.failure)
        continue
      }
      const message = await this.session.api.sendMessage({ to: this.options.who, text: input.text })
      this.ledger.addOwn(message, clock.now())
      this.lastArrivalMs = clock.now()
      this.printDue()
    }
    return isGood
  }

  private print(write: () => Promise<void>): void {
    this.printing = this.printing.then(write)
  }

  /** Prints what is due, and looks again when the next line has waited long enough. */
  private printDue(): void {
    const { clock, output } = this.context
    this.cancelTimer()
    for (const message of this.ledger.takeDue(clock.now())) {
      this.print(() => output.print(messageLine(message, output, { withState: true })))
    }
    if (this.ledger.isWaiting) {
      this.cancelTimer = clock.schedule(ORDER_WAIT_MS / 4, () => this.printDue())
    }
  }

  /** Waits until the moment that `until` names, which it may move with every event; 0 is now. */
  private async waitUntil(until: () => number): Promise<void> {
    const { clock, signal } = this.context
    while (!signal.aborted && this.failure === undefined) {
      const leftMs = until() - clock.now()
      if (leftMs <= 0) return
      const woken = new AbortController()
      this.wake = () => woken.abort()
      await pause(clock, leftMs, AbortSignal.any([woken.signal, signal]))
    }
  }

  private async finish(): Promise<void> {
    const { output } = this.context
    const { pending, sent } = this.ledger
    this.cancelTimer()
    for (const message of this.ledger.takeAll()) {
      this.print(() => output.print(messageLine(message, output, { withState: true })))
    }
    await this.printing
    await output.value({ type: 'end', sent, delivered: sent - pending, pending })
    if (pending === 0) return
    const what = pending === 1 ? '1 message is' : `${pending} messages are`
    await output.notice(
      line`${what} not known to be delivered; stored here and tried again whenever kith runs.`
    )
  }
}
