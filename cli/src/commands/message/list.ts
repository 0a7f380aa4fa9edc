// `kith message list`: the newest messages with one contact, in the order all devices agree on, and what is missing.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line } from '../../output.ts'
import { dayOf, gapLine, interleave, messageLine, noticeLine } from '../../transcript.ts'

/** MessengerApi's own bound for one listing. */
const LIMIT_MAX = 1_000
const LIMIT_DEFAULT = 50

export const messageList = defineCommand({
  noun: 'message',
  verb: 'list',
  summary: 'Show the messages with a contact',
  description:
    'Shows the newest messages, oldest first, with the state of your own: ○ queued on this machine, ✓ accepted by a\n' +
    'relay, ✓✓ stored on a device of the contact. Messages that are known to exist but are not here yet are listed\n' +
    'at the end.',
  example: 'kith message list bob --limit 20',
  arguments: [{ name: 'who', summary: 'contact name or account id' }],
  result: 'list',
  options: [
    {
      flags: '--limit <number>',
      summary: `how many messages (1 to ${LIMIT_MAX}, default ${LIMIT_DEFAULT})`,
      range: { min: 1, max: LIMIT_MAX }
    },
    {
      flags: '--before <id>',
      summary: 'only those before the message with this id: the next page'
    }
  ],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const limit = input.number('limit') ?? LIMIT_DEFAULT
    const before = input.option('before')
    const { messages, gaps, notices } = await api.listMessages({
      with: input.text('who'),
      limit,
      ...(before === undefined ? {} : { before })
    })
    const { output } = context
    let day = ''
    for (const shown of interleave(messages, notices)) {
      if ('notice' in shown) {
        await output.value({ type: 'notice', notice: shown.notice })
        await output.print(output.style('dim', noticeLine(shown.notice)))
        continue
      }
      const { message } = shown
      const its = dayOf(message.sentAtMs)
      if (its !== day) await output.print(output.style('dim', line`-- ${its} --`))
      day = its
      await output.value(message)
      await output.print(messageLine(message, output, { withState: true }))
    }
    for (const gap of gaps) {
      await output.value({ type: 'gap', gap })
      await output.print(gapLine(gap))
    }
    if (messages.length === 0) await output.print(line`no messages yet`)
    return undefined
  }
})
