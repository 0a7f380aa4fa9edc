// `kith events`: what happened since a number or a consumer's last confirmation, and what happens from then on.
import type { LoggedEvent } from '@kith/node'
import { type Context, defineCommand, type Input } from '../command.ts'
import { CommandError } from '../errors.ts'
import { line, type Output } from '../output.ts'
import { eventLine, messageLine } from '../transcript.ts'

const SINCE = { min: 0, max: 999_999_999 }

export const events = defineCommand({
  noun: 'events',
  summary: 'Print everything that happened, from where you left off',
  description:
    'Prints messages, states, gaps, contacts, requests, devices and notices in the order in which they were stored\n' +
    'here, then waits for more until Ctrl-C. None is left out, whatever dies in between: each has a number, and\n' +
    '--since <number> goes on behind it. With --consumer <name> the place is kept here: it moves with\n' +
    'kith consumer confirm, or, with --confirm, as soon as events are printed. What was printed and not confirmed\n' +
    'comes again. The newest 50,000 are kept.',
  example: 'kith events --consumer bot --confirm --json | jq -r .event.message.text',
  arguments: [],
  options: [
    {
      flags: '--since <number>',
      summary: 'go on behind this event (0: the oldest kept)',
      range: SINCE
    },
    { flags: '--consumer <name>', summary: 'go on behind what this consumer has confirmed' },
    { flags: '--confirm', summary: 'confirm for the consumer what is printed' },
    { flags: '--once', summary: 'end when there is nothing more, instead of waiting' }
  ],
  result: 'none',
  async run(context: Context, input: Input) {
    const { loggedEvents } = await import('../logged-events.ts')
    const [after, consumer] = [input.number('since'), input.option('consumer')]
    if (input.flag('confirm') && consumer === undefined) {
      throw new CommandError('usage', '--confirm needs --consumer: whose confirmation would it be?')
    }
    const { api } = await context.open()
    const { output, signal } = context
    const options = { signal, isOnce: input.flag('once') }
    for await (const page of loggedEvents(api, { after, consumer }, options)) {
      for (const logged of page) await print(logged, output)
      const number = page.at(-1)?.number
      if (!input.flag('confirm') || number === undefined || consumer === undefined) continue
      // Confirmed once it is handed over: what was printed to nobody comes again.
      if (!signal.aborted) await api.confirmEvents({ consumer, number })
    }
    return undefined
  }
})

async function print(logged: LoggedEvent, output: Output): Promise<void> {
  await output.value(logged)
  const { number, event } = logged
  const text =
    event.type === 'message' || event.type === 'state'
      ? messageLine(event.message, output, { withState: true })
      : eventLine(event)
  if (text !== undefined) {
    await output.print(line`${output.style('dim', line`${number}`)}  ${text}`)
  }
}
