// `kith message send`: stores a message in the outbox and says honestly how far it got.
import type { DeliveryState, MessageView, NodeEvent } from '@kith/node'
import { deadline } from '../../clock.ts'
import { type Context, defineCommand, type Input } from '../../command.ts'
import { CommandError } from '../../errors.ts'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import { line, name } from '../../output.ts'
import { hasReached, markOf, stateText } from '../../transcript.ts'

/** Without --wait: long enough for a relay on the other side of the world, short enough not to annoy when offline. */
const ACCEPTED_WAIT_SECONDS = 5
/** With --wait and without --timeout. */
const WAIT_SECONDS = 30
const TIMEOUT_SECONDS_MAX = 86_400

export const messageSend = defineCommand({
  noun: 'message',
  verb: 'send',
  summary: 'Send a message to a contact',
  description:
    'Stores the message durably, then sends it. A message that is stored counts as success, even when no relay can\n' +
    'be reached: it stays queued and goes out when kith runs again. With --wait the exit code tells whether the\n' +
    'state was reached (0) or not in time (3); the message is kept in both cases. The words are joined by spaces;\n' +
    'a single - reads the text from standard input; text that begins with a dash goes after --.',
  example: 'kith message send bob "see you at eight" --wait delivered --timeout 60',
  arguments: [
    { name: 'who', summary: 'contact name or account id' },
    { name: 'text', summary: 'the text, or - for standard input', variadic: true }
  ],
  options: [
    {
      flags: '--wait <state>',
      summary: 'wait for this state',
      choices: ['accepted', 'delivered']
    },
    {
      flags: '--timeout <seconds>',
      summary: `how long to wait (default: ${ACCEPTED_WAIT_SECONDS}; with --wait: ${WAIT_SECONDS})`,
      range: { min: 0, max: TIMEOUT_SECONDS_MAX }
    }
  ],
  run: sendMessage
})

async function sendMessage(context: Context, input: Input): Promise<ExitCode> {
  const { checkText } = await import('../../message-text.ts')
  const text = checkText(await readText(context, input.list('text')))
  const wanted = input.option('wait') as DeliveryState | undefined
  const seconds =
    input.number('timeout') ?? (wanted === undefined ? ACCEPTED_WAIT_SECONDS : WAIT_SECONDS)
  const { api } = await context.open()
  const to = input.text('who')
  const ending = new AbortController()
  const given = AbortSignal.any([context.signal, ending.signal])
  const limit = deadline(context.clock, seconds * 1_000, given)
  // Subscribed before sending, so that no state is missed.
  const events = api.events(limit.signal)[Symbol.asyncIterator]()
  const firstEvent = events.next()
  // Its failure is met where it is awaited; until then it must not count as unhandled.
  firstEvent.catch(() => undefined)
  try {
    const stored = await api.sendMessage({ to, text })
    const target = wanted ?? 'accepted'
    const following = follow(stored, { target, events, firstEvent, signal: limit.signal })
    const last = await context.waiting(line`waiting until it is ${target}`, following)
    await printSent(context, last, to)
    return wanted === undefined || hasReached(last.state, wanted) ? EXIT.ok : EXIT.network
  } finally {
    limit.cancel()
    ending.abort()
  }
}

/** The newest view of the message: in the target state, or as it was when the signal aborted. */
async function follow(
  stored: MessageView,
  options: {
    target: DeliveryState
    events: AsyncIterator<NodeEvent>
    firstEvent: Promise<IteratorResult<NodeEvent>>
    signal: AbortSignal
  }
): Promise<MessageView> {
  const { target, events, signal } = options
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
    if (signal.aborted) resolve(undefined)
  })
  let view = stored
  let next = options.firstEvent
  while (!hasReached(view.state, target)) {
    // The message is stored: a lost stream of events means that its state is unknown, not that sending failed.
    const item = await Promise.race([next.catch(() => undefined), aborted])
    if (item === undefined || item.done === true) return view
    const event = item.value
    if (event.type === 'state' || event.type === 'message') {
      const { message } = event
      const isSame = message.local === stored.local && message.conversation === stored.conversation
      if (isSame) view = message
    }
    next = events.next()
  }
  return view
}

async function readText(context: Context, words: readonly string[]): Promise<string> {
  if (words.length !== 1 || words[0] !== '-') return words.join(' ')
  const { readInputText } = await import('../../input-text.ts')
  return readInputText(context.stdin)
}

async function printSent(context: Context, message: MessageView, to: string): Promise<void> {
  const { output } = context
  await output.value(message)
  const words = stateText(message)
  await output.print(line`${markOf(message.state)} to ${name(to)}: ${words}`)
  if (message.state === 'queued' && !context.signal.aborted) {
    await output.notice(
      line`The message is stored on this machine and is sent when a relay is reached while kith runs.`
    )
  }
  if (context.signal.aborted) {
    throw new CommandError('interrupted', 'Interrupted. The message is stored and will be sent.')
  }
}
