// `kith contact block` and `unblock`: an account of which nothing is taken or shown any more.
import type { BlockedView } from '@kith/node'
import { type Context, defineCommand, type Input } from '../../command.ts'
import { line, name, type Output } from '../../output.ts'
import { WHO_ARGUMENT } from './who.ts'

export const contactBlock = defineCommand({
  noun: 'contact',
  verb: 'block',
  summary: 'Refuse everything from an account',
  description:
    'Nothing of the account is shown, kept or answered any more, and your relay refuses it. The other side is not\n' +
    'told: what it writes waits there as if your box were full. What you have from before stays on this device.',
  example: 'kith contact block bob',
  arguments: [WHO_ARGUMENT],
  options: [],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    await tell(context.output, await api.blockContact({ who: input.text('who') }))
    return undefined
  }
})

export const contactUnblock = defineCommand({
  noun: 'contact',
  verb: 'unblock',
  summary: 'Take messages of a blocked account again',
  description:
    'A contact is a contact again; a stranger has to write again to be on the list of requests. What still waits on\n' +
    'the other side may come now.',
  example: 'kith contact unblock bob',
  arguments: [WHO_ARGUMENT],
  options: [],
  async run(context: Context, input: Input) {
    const { api } = await context.open()
    await tell(context.output, await api.unblockContact({ who: input.text('who') }))
    return undefined
  }
})

async function tell(output: Output, { contact, relaysTold }: BlockedView): Promise<void> {
  const done = contact.isBlocked ? line`blocked` : line`unblocked`
  await output.value({ ...contact, relaysTold })
  await output.print(line`${done} ${name(contact.name)}  ${contact.account}`)
  if (relaysTold === 0) {
    await output.notice(line`It holds on this device; your relay learns it when it is reached.`)
  }
}
