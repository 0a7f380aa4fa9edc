// `kith account create`: makes the account and its first device, and registers it at a relay.
import type { AccountView } from '@kith/node'
import { type Context, defineCommand, type Input } from '../../command.ts'
import { join, line, name, type SafeText } from '../../output.ts'
import { choosePassphrase } from './passphrase.ts'

const WORDS_PER_LINE = 6

export const accountCreate = defineCommand({
  noun: 'account',
  verb: 'create',
  summary: 'Make your account on this machine, at a relay that invites you',
  description:
    'Makes an account with this machine as its first device. The relay keeps what is addressed to you while no\n' +
    'device of yours is awake; it cannot read it. The join link comes from whoever runs the relay\n' +
    '(kith-relay init prints it); put it in quotes. The recovery words are shown once: keep\n' +
    'them. They are the highest key of the account; a command that takes the account back with them comes in a\n' +
    'later version. Until then a second device is what keeps it: kith device add.',
  example: "kith account create --relay 'kith:join/12D3KooW…?address=…&invite=…' --name alice",
  arguments: [],
  result: 'none',
  options: [
    { flags: '--relay <link>', summary: 'join link of the relay (in quotes)', mandatory: true },
    {
      flags: '--name <name>',
      summary: 'name that your contact link suggests to others',
      mandatory: true
    },
    {
      flags: '--passphrase',
      summary: 'protect the key file; asked twice, or from --passphrase-file or KITH_PASSPHRASE'
    }
  ],
  run: createAccount
})

async function createAccount(context: Context, input: Input): Promise<undefined> {
  const { checkName } = await import('../../message-text.ts')
  const chosen = checkName(input.option('name') ?? '', 'The name')
  const relay = input.option('relay') ?? ''
  const passphrase = await choosePassphrase(context, input.flag('passphrase'))
  const engine = await context.engine()
  const creating = engine.createAccount({
    home: context.home,
    relay,
    name: chosen,
    log: context.log,
    signal: context.signal,
    ...(passphrase === undefined ? {} : { passphrase })
  })
  const registering = line`registering at the relay`
  const { account, recoveryWords } = await context.waiting(registering, creating)
  await context.output.value({ account, recoveryWords })
  await printCreated(context, account, recoveryWords.split(' '))
  return undefined
}

async function printCreated(context: Context, account: AccountView, words: readonly string[]) {
  const { output } = context
  await output.print(line`account   ${account.account}`)
  await output.print(line`name      ${name(account.name)}`)
  await output.print(line`device    ${account.device}`)
  await output.print(line`link      ${account.link}`)
  await output.print(line``)
  await output.print(
    output.style('bold', line`Recovery words. Write them down now; they are not shown again:`)
  )
  for (let start = 0; start < words.length; start += WORDS_PER_LINE) {
    await output.print(wordLine(words.slice(start, start + WORDS_PER_LINE)))
  }
  await output.print(line``)
  await output.print(
    line`Give the link to people who should reach you. Next: kith contact add '<their link>'`
  )
}

function wordLine(words: readonly string[]): SafeText {
  return line`  ${join(
    words.map((word) => line`${word}`),
    ' '
  )}`
}
