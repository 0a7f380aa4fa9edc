// `kith contact list`: everybody who was added or accepted, or everybody who is blocked.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'

export const contactList = defineCommand({
  noun: 'contact',
  verb: 'list',
  summary: 'List your contacts',
  description:
    'Lists the people you added or accepted: your name for each, and the account id that the name stands for. The\n' +
    'name is local; the account id never changes. "✓ verified" stands behind those whose safety number you have\n' +
    'compared. Strangers who wrote to you: kith contact requests.',
  example: 'kith contact list --json',
  arguments: [],
  result: 'list',
  options: [{ flags: '--blocked', summary: 'list whom you have blocked instead' }],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const isBlocked = input.flag('blocked')
    const contacts = isBlocked ? await api.listBlocked() : await api.listContacts()
    const { output } = context
    for (const contact of contacts) {
      const mark = contact.isVerified ? output.style('green', line`  ✓ verified`) : line``
      await output.value(contact)
      await output.print(line`${name(contact.name)}  ${contact.account}${mark}`)
    }
    if (contacts.length > 0) return undefined
    await output.print(
      isBlocked ? line`nobody is blocked` : line`no contacts yet; try: kith contact add '<link>'`
    )
    return undefined
  }
})
