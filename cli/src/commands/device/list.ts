// `kith device list`: the devices that the account's log names.
import type { DeviceView } from '@kith/node'
import { type Context, defineCommand } from '../../command.ts'
import { line, name, type SafeText } from '../../output.ts'
import { dayOf } from '../../transcript.ts'

export const deviceList = defineCommand({
  noun: 'device',
  verb: 'list',
  summary: 'List the devices of your account',
  description:
    'Lists every device that may read and write as you, with the day it was added by its clock. Remove what you do not\n' +
    'know or no longer have: kith device remove. Names are known to this device only. When a device was last used is\n' +
    'not known: nobody keeps a record of it.',
  example: 'kith device list --json',
  arguments: [],
  result: 'list',
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    for (const device of await api.listDevices()) {
      await context.output.value(device)
      await context.output.print(deviceLine(device))
    }
    return undefined
  }
})

const deviceLine = ({ device, name: called, addedAtMs, isThis }: DeviceView): SafeText =>
  line`${name(called)}  ${device}  added ${dayOf(addedAtMs)}${isThis ? '  (this one)' : ''}`
