// `kith contact add`: remembers the account behind a contact link under a name of this user's choice.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'

export const contactAdd = defineCommand({
  noun: 'contact',
  verb: 'add',
  summary: 'Add the person whose contact link you were given',
  description:
    'Remembers an account under a name. Whoever gives you the link decides whom you will talk to: get it from the\n' +
    'person, over a way that you trust. Put the link in quotes, because it holds characters that a shell\n' +
    'interprets. Without --name the name that the link suggests is used.',
  example: "kith contact add 'kith:contact/…?name=bob&relay=…' --name bob",
  arguments: [{ name: 'link', summary: 'contact link (in quotes), from: kith account show' }],
  options: [{ flags: '--name <name>', summary: 'your name for this person' }],
  async run(context: Context, input: Input) {
    const { checkName } = await import('../../message-text.ts')
    const chosen = input.option('name')
    const link = input.text('link')
    if (chosen !== undefined) checkName(chosen, 'The name')
    const { api } = await context.open()
    const contact = await api.addContact({
      link,
      ...(chosen === undefined ? {} : { name: chosen })
    })
    await context.output.value(contact)
    await context.output.print(line`added ${name(contact.name)}  ${contact.account}`)
    return undefined
  }
})
