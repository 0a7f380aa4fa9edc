// `kith-relay user list|show|block|unblock`
import { nodePrimitives } from '@kith/node/kernel/host'
import type { Command } from 'commander'
import type { UserView } from '../admin/admin.ts'
import { filesOf, resolveHome } from '../home.node.ts'
import { administer } from '../open.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
  readonly reason: string
}

interface Page {
  readonly users: readonly UserView[]
  readonly total: number
  readonly hasMore: boolean
}

const filesFor = (options: { readonly home?: string }) =>
  filesOf(resolveHome(options.home, process.env), nodePrimitives.sha256)

/** Adds the commands to the program; they throw OperatorError. They work whether the relay runs or not. */
export function addUser(program: Command, output: Output): void {
  const user = program.command('user').description('the accounts hosted here, by their ids')
  const show = (view: UserView, options: Options) =>
    options.json === true ? output.json(view) : output.line(lineOf(view))
  user
    .command('list')
    .description('list the accounts: devices, entries, bytes, and whether they are blocked')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  kith-relay user list --json --home ./relay')
    .action(async (options: Options) => {
      let after: string | undefined
      do {
        const params = after === undefined ? {} : { after }
        const page: Page = await administer<Page>(filesFor(options), 'user.list', params)
        for (const view of page.users) show(view, options)
        after = page.hasMore ? page.users.at(-1)?.account : undefined
      } while (after !== undefined)
    })
  user
    .command('show <account>')
    .description('show one account')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay user show <account id> --home ./relay')
    .action(async (account: string, options: Options) =>
      show(await administer(filesFor(options), 'user.show', { account }), options)
    )
  user
    .command('block <account>')
    .description('refuse the devices of an account; what it has here stays')
    .requiredOption('--reason <text>', 'why; shown in the list')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExample:\n  kith-relay user block <account id> --reason spam --home ./relay'
    )
    .action(async (account: string, options: Options) => {
      const { reason } = options
      show(await administer(filesFor(options), 'user.block', { account, reason }), options)
    })
  user
    .command('unblock <account>')
    .description('let the devices of an account in again')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay user unblock <account id> --home ./relay')
    .action(async (account: string, options: Options) =>
      show(await administer(filesFor(options), 'user.unblock', { account }), options)
    )
}

function lineOf({ account, devices, entries, bytes, suspended }: UserView): string {
  const numbers = `${devices} devices  ${entries} entries  ${bytes} bytes`
  // The reason is what the operator typed; JSON escapes whatever would move the cursor.
  const blocked = suspended === undefined ? '' : `  blocked: ${JSON.stringify(suspended)}`
  return `${account}  ${numbers}${blocked}`
}
