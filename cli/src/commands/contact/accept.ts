// `kith contact accept`: makes a stranger who wrote a contact.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'
import { WHO_ARGUMENT } from './who.ts'

export const contactAccept = defineCommand({
  noun: 'contact',
  verb: 'accept',
  summary: 'Make a stranger who wrote to you a contact',
  description:
    'Turns a request into a conversation: what was written is shown, and from now on the other side is told what\n' +
    'arrives here. Without --name the name is used that the stranger chose, if no contact of yours has it.',
  example: 'kith contact accept k3f9x2ab --name bob',
  arguments: [WHO_ARGUMENT],
  options: [{ flags: '--name <name>', summary: 'your name for this person' }],
  async run(context: Context, input: Input) {
    const { checkName } = await import('../../message-text.ts')
    const chosen = input.option('name')
    if (chosen !== undefined) checkName(chosen, 'The name')
    const { api } = await context.open()
    const contact = await api.acceptRequest({
      who: input.text('who'),
      ...(chosen === undefined ? {} : { name: chosen })
    })
    await context.output.value(contact)
    await context.output.print(line`accepted ${name(contact.name)}  ${contact.account}`)
    return undefined
  }
})
