// `kith contact list`: everybody who was added.
import { type Context, defineCommand } from '../../command.ts'
import { line, name } from '../../output.ts'

export const contactList = defineCommand({
  noun: 'contact',
  verb: 'list',
  summary: 'List your contacts',
  description:
    'Lists the people you added: your name for each, and the account id that the name stands for. The name is\n' +
    'local; the account id never changes.',
  example: 'kith contact list --json',
  arguments: [],
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    const contacts = await api.listContacts()
    for (const contact of contacts) {
      await context.output.value(contact)
      await context.output.print(line`${name(contact.name)}  ${contact.account}`)
    }
    if (contacts.length === 0) {
      await context.output.print(line`no contacts yet; try: kith contact add '<link>'`)
    }
    return undefined
  }
})
