// `kith consumer forget`: a program that reads events no more.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'

export const consumerForget = defineCommand({
  noun: 'consumer',
  verb: 'forget',
  summary: 'Forget a consumer',
  description:
    'Forgets a consumer and how far it had confirmed, to make room for another: at most 64 are kept. The events\n' +
    'themselves stay, and the same name begins again with the oldest.',
  example: 'kith consumer forget bot',
  arguments: [{ name: 'consumer', summary: 'its name' }],
  options: [],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const consumer = await api.forgetConsumer({ consumer: input.text('consumer') })
    await context.output.value(consumer)
    await context.output.print(line`${name(consumer.name)} is forgotten`)
    return undefined
  }
})
