// `kith consumer confirm`: everything up to an event has been dealt with.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { CommandError } from '../../errors.ts'
import { line, name } from '../../output.ts'

export const consumerConfirm = defineCommand({
  noun: 'consumer',
  verb: 'confirm',
  summary: 'Confirm events for a consumer',
  description:
    'Says that a consumer has dealt with everything up to an event: kith events --consumer goes on behind it, also\n' +
    'after a restart. Going back is ignored.',
  example: 'kith consumer confirm bot 42',
  arguments: [
    { name: 'consumer', summary: 'its name' },
    { name: 'number', summary: 'the number of the last event it has dealt with' }
  ],
  options: [],
  async run(context: Context, input: Input) {
    const digits = input.text('number')
    if (!/^\d{1,15}$/.test(digits)) {
      throw new CommandError('usage', `The number of an event is a whole number, not ${digits}.`)
    }
    const { api } = await context.open()
    const { output } = context
    const consumer = await api.confirmEvents({
      consumer: input.text('consumer'),
      number: Number(digits)
    })
    await output.value(consumer)
    const { confirmed, waiting } = consumer
    await output.print(line`${name(consumer.name)}  confirmed ${confirmed}, ${waiting} waiting`)
    return undefined
  }
})
