// `kith openrpc`: what programs may ask for.
import { type Context, defineCommand } from '../command.ts'
import { line } from '../output.ts'
import { toSafeJson } from '../sanitize.ts'

export const openrpc = defineCommand({
  noun: 'openrpc',
  summary: 'Print what programs may ask for, as OpenRPC',
  description:
    'Prints an OpenRPC document of every method of the socket and of kith daemon --http: the commands with their\n' +
    'arguments and options, and the calls behind them. Needs no account.',
  example: 'kith openrpc --json',
  arguments: [],
  options: [],
  result: 'none',
  async run(context: Context) {
    const { describeMethods } = await import('../rpc/open-rpc.ts')
    const document = describeMethods(context.table)
    await context.output.value(document)
    await context.output.print(line`${toSafeJson(document)}`)
    return undefined
  }
})
