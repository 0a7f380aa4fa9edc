// `kith message watch`: everything that happens, as it happens, until Ctrl-C.
import type { NodeEvent } from '@kith/node'
import { type Context, defineCommand } from '../../command.ts'
import { line, type Output } from '../../output.ts'
import { eventLine, messageLine } from '../../transcript.ts'

export const messageWatch = defineCommand({
  noun: 'message',
  verb: 'watch',
  summary: 'Print messages and events as they happen',
  description:
    'Keeps running and prints messages of all contacts, state changes of your own, gaps and connections. With --json\n' +
    'each line is one event; the first line is {"type":"ready"}, after which no event is missed. Ctrl-C ends it with\n' +
    'exit code 0. While it runs, messages are received and your queue is sent.',
  example: 'kith message watch --json | jq -r .message.text',
  arguments: [],
  result: 'none',
  options: [],
  async run(context: Context) {
    const { liveEvents } = await import('../../live-events.ts')
    const session = await context.open()
    const { clock, output, signal, startedAtMs } = context
    const events = liveEvents(session, { clock, startedAtMs, signal })
    await output.value({ type: 'ready' })
    if (!output.json) await output.notice(line`watching; Ctrl-C ends`)
    for await (const event of events) await printEvent(event, output)
    return undefined
  }
})

async function printEvent(event: NodeEvent, output: Output): Promise<void> {
  await output.value(event)
  if (event.type === 'message' || event.type === 'state') {
    await output.print(messageLine(event.message, output, { withState: true }))
    return
  }
  const text = eventLine(event)
  if (text !== undefined) await output.print(output.style('dim', text))
}
