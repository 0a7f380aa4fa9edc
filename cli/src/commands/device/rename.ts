// `kith device rename`: a name of this user's choice, kept on this device.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'

export const deviceRename = defineCommand({
  noun: 'device',
  verb: 'rename',
  summary: 'Give one of your devices another name',
  description:
    'Names a device of your account. The name is kept on this device: no relay, no contact and no other device of\n' +
    'yours sees it. A device that is added later begins with the names of the one that adds it.',
  example: "kith device rename phone 'old phone'",
  arguments: [
    { name: 'device', summary: 'name, id, or the end of an id, from: kith device list' },
    { name: 'name', summary: 'new name' }
  ],
  options: [],
  async run(context: Context, input: Input) {
    const { checkName } = await import('../../message-text.ts')
    const chosen = checkName(input.text('name'), 'The name')
    const { api } = await context.open()
    const device = await api.renameDevice({ device: input.text('device'), name: chosen })
    await context.output.value(device)
    await context.output.print(line`${name(device.name)}  ${device.device}`)
    return undefined
  }
})
