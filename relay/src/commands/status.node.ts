// `kith-relay status`
import { nodePrimitives } from '@kith/node/kernel/host'
import { relayIdOf } from '@kith/protocols'
import type { Command } from 'commander'
import { ask } from '../control.node.ts'
import { filesOf, readHome, resolveHome } from '../home.node.ts'
import type { Output } from '../output.ts'
import type { RelayStatus } from '../relay.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
}

/** Adds the command to the program; it throws OperatorError. */
export function addStatus(program: Command, output: Output): void {
  program
    .command('status')
    .description('say whether the relay runs, where, and what it keeps')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay status --home ./relay')
    .action((options: Options) => status(options, output))
}

async function status(options: Options, output: Output): Promise<void> {
  const home = resolveHome(options.home, process.env)
  const files = filesOf(home, nodePrimitives.sha256)
  const { seed } = await readHome(files, process.env)
  const running = await ask<RelayStatus>(files, 'status')
  const id = relayIdOf(nodePrimitives.keyPair(seed).publicKey)
  if (options.json === true) {
    output.json({ state: running === undefined ? 'stopped' : 'running', id, home, ...running })
    return
  }
  if (running === undefined) {
    output.line(`stopped  ${id}\nTo start it, type:\n  kith-relay start --home ${home}`)
    return
  }
  output.line(`running  ${id}`)
  for (const address of running.addresses) output.line(`address  ${address}`)
  output.line(`accounts ${running.accounts}`)
  output.line(`boxes    ${running.boxes}`)
  output.line(`entries  ${running.entries}`)
  output.line(`epoch    ${running.storeEpoch}`)
  output.line(`join     ${running.joinLink}`)
}
