// `kith-relay init`
import type { Command } from 'commander'
import { DEFAULT_CONFIG } from '../config/index.ts'
import { resolveHome } from '../home.node.ts'
import { initRelay } from '../init.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
  readonly registration: string
  readonly inviteUses: string
  readonly json?: boolean
}

/** Adds the command to the program; it throws OperatorError. */
export function addInit(program: Command, output: Output): void {
  program
    .command('init')
    .description('make a relay: its folder, identity, settings and join link')
    .option('--home <folder>', 'where the relay lives')
    .option('--listen <multiaddr...>', 'addresses to listen on; port 0 takes a free one at start')
    .option('--announce <multiaddr...>', 'addresses to tell others, if not those listened on')
    .option('--registration <who>', 'auto, invite, open or closed', DEFAULT_CONFIG.registration)
    .option('--invite-uses <count>', 'accounts the invite lets in', `${DEFAULT_CONFIG.inviteUses}`)
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExample:\n  kith-relay init --home ./relay --listen /ip4/0.0.0.0/tcp/4001 ' +
        '--announce /dns4/relay.example/tcp/4001'
    )
    .action(async (options: Options) => {
      const result = await initRelay({
        home: resolveHome(options.home, process.env),
        listen: options.listen ?? [],
        announce: options.announce ?? [],
        registration: options.registration,
        inviteUses: Number(options.inviteUses)
      })
      if (options.json === true) {
        output.json({ ...result, joinLink: result.joinLink ?? null })
        return
      }
      output.line(`Relay ${result.id} is made in ${result.home}.`)
      if (result.joinLink === undefined) output.line('Its join link is printed when it starts.')
      else output.line(`Join link (keep it to those you invite):\n  ${result.joinLink}`)
      output.line(`Next, type:\n  kith-relay start --home ${result.home}`)
    })
}
