// `kith device link`: makes this machine a further device of the account behind a code.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { CommandError } from '../../errors.ts'
import { line, name } from '../../output.ts'
import { choosePassphrase } from '../account/passphrase.ts'
import { compare } from './compare.ts'

export const deviceLink = defineCommand({
  noun: 'device',
  verb: 'link',
  summary: 'Make this machine a device of your account, with a code from another one',
  description:
    'Takes the code that kith device add shows on a device you already use. Put it in quotes. Both devices then show\n' +
    'six emoji; say yes only when they are the same on both, in the same order. Contacts and history follow at the\n' +
    'first start. If anything goes wrong, nothing stays here, and a new code is needed.',
  example: "kith device link 'kith:link/…?relay=…' --name phone",
  arguments: [{ name: 'code', summary: 'code (in quotes), from: kith device add' }],
  result: 'none',
  options: [
    { flags: '--name <name>', summary: 'what this device is called (default: its host name)' },
    {
      flags: '--passphrase',
      summary: 'protect the key file; asked twice, or from --passphrase-file or KITH_PASSPHRASE'
    }
  ],
  async run(context: Context, input: Input) {
    const { checkName } = await import('../../message-text.ts')
    const chosen = input.option('name')
    if (chosen !== undefined) checkName(chosen, 'The name')
    const passphrase = await choosePassphrase(context, input.flag('passphrase'))
    const { output } = context
    const engine = await context.engine()
    const ending = new AbortController()
    const signal = AbortSignal.any([context.signal, ending.signal])
    await output.notice(line`looking for the other device`)
    try {
      const { account, deviceName } = await engine.linkDevice({
        home: context.home,
        code: input.text('code'),
        log: context.log,
        signal: context.signal,
        ...(chosen === undefined ? {} : { name: chosen }),
        ...(passphrase === undefined ? {} : { passphrase }),
        async compare({ emoji, account, name: accountName }) {
          await output.value({ type: 'compare', emoji, account, name: accountName })
          await output.print(line`account ${name(accountName)}  ${account}`)
          const isSame = await compare(context, emoji, signal)
          if (isSame === undefined) throw new CommandError('interrupted', 'Nobody answered.')
          if (isSame) await output.notice(line`waiting for the yes on the other device`)
          return isSame
        }
      })
      await output.value({ type: 'linked', account, deviceName })
      await output.print(line`✓ this device is ${name(deviceName)} of ${name(account.name)}`)
      await output.print(line`Next: kith message watch, or kith chat <contact>`)
    } finally {
      ending.abort()
    }
    return undefined
  }
})
