// `kith consumer list`: who reads events, and how far each has confirmed.
import { type Context, defineCommand } from '../../command.ts'
import { line, name } from '../../output.ts'

export const consumerList = defineCommand({
  noun: 'consumer',
  verb: 'list',
  summary: 'List the programs that read events',
  description:
    'Lists the names given to kith events --consumer: the last event each has confirmed, and how many wait behind it.',
  example: 'kith consumer list',
  arguments: [],
  options: [],
  result: 'list',
  async run(context: Context) {
    const { api } = await context.open()
    const { output } = context
    const consumers = await api.listConsumers()
    for (const consumer of consumers) {
      await output.value(consumer)
      const { confirmed, waiting } = consumer
      await output.print(line`${name(consumer.name)}  confirmed ${confirmed}, ${waiting} waiting`)
    }
    if (consumers.length > 0) return undefined
    await output.print(line`no consumers yet; try: kith events --consumer bot`)
    return undefined
  }
})
