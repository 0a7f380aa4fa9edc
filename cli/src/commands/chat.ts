// `kith chat <who>`: a conversation line by line, on a terminal or through pipes.
import type { ContactView } from '@kith/node'
import { type Context, defineCommand, type Input } from '../command.ts'
import { CommandError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'

const TIMEOUT_SECONDS = 30
const SECONDS_MAX = 86_400
/** On a terminal: enough to remember what it was about, without scrolling the beginning away. */
const HISTORY_DEFAULT = 20
const HISTORY_MAX = 1_000

export const chat = defineCommand({
  noun: 'chat',
  summary: 'Talk to a contact, line by line',
  description:
    'On a terminal: type a line, Enter sends it; marks show how far it got and change in place: ○ queued on this\n' +
    'machine, ✓ accepted by a relay, ✓✓ stored on a device of the contact. Ctrl-D or Ctrl-C ends; what is queued stays\n' +
    'stored and is sent when kith runs again.\n\n' +
    'Piped: every line of standard input is a message (blank lines are left out); the transcript goes to standard\n' +
    'output, own messages once with their final state. At the end of input it waits until all are delivered, at most\n' +
    '--timeout seconds, and exits with 0 (2 if a line was refused). While a chat is open, other kith commands work.',
  example: 'printf "are you there?\\n" | kith chat bob --timeout 10 --linger 2',
  arguments: [{ name: 'who', summary: 'contact name or account id' }],
  result: 'none',
  options: [
    {
      flags: '--timeout <seconds>',
      summary: `piped: longest wait for deliveries after the end of input (default ${TIMEOUT_SECONDS})`,
      range: { min: 0, max: SECONDS_MAX }
    },
    {
      flags: '--linger <seconds>',
      summary: 'piped: then stay this long after the last message, for answers (default 0)',
      range: { min: 0, max: SECONDS_MAX }
    },
    {
      flags: '--history <number>',
      summary: `earlier messages to show first (default: ${HISTORY_DEFAULT} on a terminal, else 0)`,
      range: { min: 0, max: HISTORY_MAX }
    }
  ],
  run: runChat
})

async function runChat(context: Context, input: Input): Promise<ExitCode> {
  const session = await context.open()
  const contact = findContact(await session.api.listContacts(), input.text('who'))
  const editor = context.output.json ? undefined : context.editor
  const options = {
    who: contact.name,
    conversation: contact.conversation,
    timeoutMs: (input.number('timeout') ?? TIMEOUT_SECONDS) * 1_000,
    lingerMs: (input.number('linger') ?? 0) * 1_000,
    history: input.number('history') ?? (editor === undefined ? 0 : HISTORY_DEFAULT)
  }
  if (editor !== undefined) {
    const { liveChat } = await import('../chat/live-chat.ts')
    return liveChat(context, session, { ...options, editor })
  }
  const { pipedChat } = await import('../chat/piped-chat.ts')
  return pipedChat(context, session, options)
}

function findContact(contacts: readonly ContactView[], who: string): ContactView {
  const found = contacts.find((contact) => contact.name === who || contact.account === who)
  if (found !== undefined) return found
  throw new CommandError('unknown-contact', `There is no contact called ${who}.`, {
    hint: 'kith contact list'
  })
}
