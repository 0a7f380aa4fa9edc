// `kith contact ignore`: takes a stranger's request off the list.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'
import { WHO_ARGUMENT } from './who.ts'

export const contactIgnore = defineCommand({
  noun: 'contact',
  verb: 'ignore',
  summary: 'Take a request off the list',
  description:
    'The stranger is told nothing and cannot ask again by writing more. You can still accept later, by the account\n' +
    'id. To refuse what it sends at the relay: kith contact block.',
  example: 'kith contact ignore k3f9x2ab',
  arguments: [WHO_ARGUMENT],
  options: [],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const contact = await api.ignoreRequest({ who: input.text('who') })
    await context.output.value(contact)
    await context.output.print(line`ignored ${name(contact.name)}  ${contact.account}`)
    return undefined
  }
})
