// `kith account show`: the account in this home, its contact link, and whether its relays are reached.
import { type Context, defineCommand } from '../../command.ts'
import { line, name } from '../../output.ts'

export const accountShow = defineCommand({
  noun: 'account',
  verb: 'show',
  summary: 'Show your account: id, contact link, devices, relays',
  description:
    'Shows the account in this home. The link is what you give to people who should reach you; it holds no\n' +
    'secret. The direct link also says where this device is right now: for somebody on your network, or when no\n' +
    'relay is to be had. A relay marked "not connected" may still be tried: this command does not wait for it.',
  example: 'kith account show --json',
  arguments: [],
  options: [],
  async run(context: Context) {
    const { api } = await context.open()
    const { output } = context
    const account = await api.account()
    const status = await api.status()
    await output.value({
      ...account,
      homes: status.homes,
      queued: status.queued,
      gaps: status.gaps
    })
    await output.print(line`account   ${account.account}`)
    await output.print(line`name      ${name(account.name)}`)
    await output.print(line`link      ${account.link}`)
    if (account.directLink !== account.link) {
      await output.print(line`direct    ${account.directLink}`)
    }
    for (const device of account.devices) {
      await output.print(line`device    ${device}${device === account.device ? ' (this one)' : ''}`)
    }
    for (const home of status.homes) {
      await output.print(
        line`relay     ${home.relay} ${home.connected ? 'connected' : 'not connected'} ${home.addresses.join(' ')}`
      )
    }
    await output.print(line`queued    ${status.queued}`)
    if (status.gaps.length > 0) await output.print(line`gaps      ${status.gaps.length}`)
    return undefined
  }
})
