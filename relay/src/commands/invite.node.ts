// `kith-relay invite create|list|revoke`
import { nodePrimitives } from '@kith/node/kernel/host'
import { formatJoinLink, parseJoinLink } from '@kith/protocols'
import type { Command } from 'commander'
import { ask } from '../control.node.ts'
import { EXIT, OperatorError } from '../errors.ts'
import { filesOf, resolveHome } from '../home.node.ts'
import type { InviteView } from '../invites/index.ts'
import { administer } from '../open.node.ts'
import type { Output } from '../output.ts'
import type { RelayStatus } from '../relay.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
  readonly uses: string
}

const filesFor = (options: { readonly home?: string }) =>
  filesOf(resolveHome(options.home, process.env), nodePrimitives.sha256)

/** Adds the commands to the program; they throw OperatorError. They work whether the relay runs or not. */
export function addInvite(program: Command, output: Output): void {
  const invite = program.command('invite').description('who may make an account here')
  invite
    .command('create')
    .description('make an invite, and print the join link that has it; it is shown this once')
    .option('--home <folder>', 'where the relay lives')
    .option('--uses <count>', 'accounts that it lets in', '1')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay invite create --uses 5 --home ./relay')
    .action((options: Options) => create(options, output))
  invite
    .command('list')
    .description('list the invites by the beginning of their hash')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  kith-relay invite list --home ./relay')
    .action((options: Options) => list(options, output))
  invite
    .command('revoke <invite>')
    .description('let nobody in with an invite any more; accounts made with it stay')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay invite revoke 3f9a6c01d2e4 --home ./relay')
    .action(async (which: string, options: Options) => {
      const revoked = await administer<{ invite: string }>(filesFor(options), 'invite.revoke', {
        invite: which
      })
      if (options.json === true) output.json(revoked)
      else output.line(`Invite ${revoked.invite} is revoked.`)
    })
}

async function create(options: Options, output: Output): Promise<void> {
  const uses = Number(options.uses)
  if (!Number.isSafeInteger(uses) || uses < 1) {
    throw new OperatorError('usage', `"--uses" must be a whole number, not "${options.uses}".`, {
      hint: 'Type: kith-relay invite create --uses 5',
      exitCode: EXIT.usage
    })
  }
  const files = filesFor(options)
  const made = await administer<InviteView & { token: string }>(files, 'invite.create', { uses })
  const running = await ask<RelayStatus>(files, 'status')
  // Where a relay that does not run will be reached is known only once it does.
  const joinLink =
    running && formatJoinLink({ ...parseJoinLink(running.joinLink), invite: made.token })
  if (options.json === true) {
    output.json({ ...made, joinLink: joinLink ?? null })
    return
  }
  const who = uses === 1 ? 'one account' : `${uses} accounts`
  output.line(
    `Invite ${made.invite} lets in ${who}. It is not shown again:\n  ${joinLink ?? made.token}`
  )
  if (joinLink === undefined) {
    output.line('It takes the place of what stands behind "invite=" in the join link.')
  }
}

async function list(options: Options, output: Output): Promise<void> {
  const invites = await administer<readonly InviteView[]>(filesFor(options), 'invite.list', {})
  for (const one of invites) {
    if (options.json === true) output.json(one)
    else {
      const made = new Date(one.createdAtMs).toISOString().slice(0, 10)
      output.line(`${one.invite}  ${one.usesLeft} left  made ${made}`)
    }
  }
  if (invites.length === 0 && options.json !== true) {
    output.line('There are no invites. To make one, type:\n  kith-relay invite create')
  }
}
