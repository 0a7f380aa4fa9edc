// `kith device remove`: a device that reads and writes nothing more.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name } from '../../output.ts'

export const deviceRemove = defineCommand({
  noun: 'device',
  verb: 'remove',
  summary: 'Take a device out of your account',
  description:
    'Takes a lost, sold or unknown device out of your account: your relay refuses it at once, and your chats change\n' +
    'their keys, so that it reads nothing that is written from then on. What it has received stays on it. A device\n' +
    'does not remove itself: use another one.',
  example: 'kith device remove phone',
  arguments: [{ name: 'device', summary: 'name, id, or the end of an id, from: kith device list' }],
  options: [],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const device = await api.removeDevice({ device: input.text('device') })
    await context.output.value(device)
    await context.output.print(line`removed ${name(device.name)}  ${device.device}`)
    return undefined
  }
})
