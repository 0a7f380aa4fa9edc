// `kith-relay reload`
import { nodePrimitives } from '@kith/node/kernel/host'
import type { Command } from 'commander'
import type { Difference } from '../config/index.ts'
import { ask } from '../control.node.ts'
import { OperatorError } from '../errors.ts'
import { filesOf, resolveHome } from '../home.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
}

/** Adds the command to the program; it throws OperatorError. */
export function addReload(program: Command, output: Output): void {
  program
    .command('reload')
    .description(
      'have a running relay read its settings again (as SIGHUP does), and say what differs'
    )
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  kith-relay reload --home ./relay')
    .action(async (options: Options) => {
      const home = resolveHome(options.home, process.env)
      const differences = await ask<readonly Difference[]>(
        filesOf(home, nodePrimitives.sha256),
        'reload'
      )
      if (differences === undefined) {
        throw new OperatorError('stopped', 'The relay does not run.', {
          hint: `It reads its settings when it starts: kith-relay start --home ${home}`
        })
      }
      for (const one of differences) {
        if (options.json === true) output.json(one)
        else output.line(lineOf(one))
      }
      if (differences.length === 0 && options.json !== true) output.line('Nothing differs.')
    })
}

function lineOf({ key, before, after, needsRestart }: Difference): string {
  const change = `${key}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`
  return needsRestart ? `${change}  (after a restart)` : change
}
