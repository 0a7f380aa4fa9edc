// `kith contact verify`: the safety number of a chat, to be compared with the other side's.
import type { SafetyView } from '@kith/node'
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name, type Output } from '../../output.ts'
import { WHO_ARGUMENT } from './who.ts'

const GROUP_DIGITS = 5
const GROUPS_IN_LINE = 4

export const contactVerify = defineCommand({
  noun: 'contact',
  verb: 'verify',
  summary: 'Compare the safety number with a contact',
  description:
    'Shows 60 digits that are the same on both sides when nobody stands between you: compare them in person or by a\n' +
    'call, then repeat with --confirm and the digits that the other side shows. The number stays when devices\n' +
    'change; the device lists below it do not. It changes when one of you replaces the recovery key.',
  example: "kith contact verify bob --confirm '12345 67890 …'",
  arguments: [WHO_ARGUMENT],
  options: [
    {
      flags: '--confirm <digits>',
      summary: 'digits that the other side shows, with or without spaces'
    }
  ],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    const who = input.text('who')
    const digits = input.option('confirm')
    if (digits === undefined) {
      await show(context.output, await api.safetyNumber({ who }))
      return undefined
    }
    const contact = await api.verifyContact({ who, digits })
    await context.output.value(contact)
    await context.output.print(line`✓ verified ${name(contact.name)}  ${contact.account}`)
    return undefined
  }
})

async function show(output: Output, safety: SafetyView): Promise<void> {
  const { contact, digits } = safety
  await output.value(safety)
  const mark = contact.isVerified ? line`  ✓ verified` : line``
  await output.print(line`safety number with ${name(contact.name)}${mark}`)
  const groups = digits.match(new RegExp(`\\d{${GROUP_DIGITS}}`, 'g')) ?? []
  for (let start = 0; start < groups.length; start += GROUPS_IN_LINE) {
    await output.print(line`  ${groups.slice(start, start + GROUPS_IN_LINE).join(' ')}`)
  }
  const { theirDevices, theirDevicesHash, ownDevices, ownDevicesHash } = safety
  const theirs = line`${theirDevices.length} of ${name(contact.name)}: ${spaced(theirDevicesHash)}`
  const own = line`${ownDevices.length} of yours: ${spaced(ownDevicesHash)}`
  await output.print(line`devices: ${theirs}, ${own}`)
}

const spaced = (hash: string): string => hash.match(/.{1,4}/g)?.join(' ') ?? hash
