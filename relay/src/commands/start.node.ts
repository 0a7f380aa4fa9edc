// `kith-relay start`
import { createLog, type LogLevel, StoreError, systemClock } from '@kith/node/kernel'
import { type Command, Option } from 'commander'
import { EXIT, OperatorError } from '../errors.ts'
import { resolveHome } from '../home.node.ts'
import { openRelay } from '../open.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly logLevel: LogLevel
  readonly json?: boolean
}

/** Adds the command to the program; it runs until a signal and throws OperatorError. */
export function addStart(program: Command, output: Output): void {
  program
    .command('start')
    .description('run the relay until it is told to stop (Ctrl-C, SIGTERM)')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'the ready line as JSON')
    .addOption(
      new Option('--log-level <level>', 'least level written to standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info')
    )
    .addHelpText('after', '\nExample:\n  kith-relay start --home ./relay')
    .action((options: Options) => start(options, output))
}

async function start(options: Options, output: Output): Promise<void> {
  const home = resolveHome(options.home, process.env)
  const log = createLog({ level: options.logLevel, now: systemClock.now, write: output.logLine })
  // Before anything is open: whoever reads the ready line may send a signal at once.
  const { promise: toldToStop, resolve: stop } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
  const relay = await openRelay({ home, log })
  const { id, addresses, joinLink } = relay
  if (options.json === true) output.json({ event: 'ready', id, addresses, joinLink })
  else output.line(`ready ${joinLink}`)
  try {
    await Promise.race([toldToStop, relay.failed])
  } catch (cause) {
    const reason = cause instanceof StoreError ? `${cause.code}: ${cause.message}` : String(cause)
    throw new OperatorError(
      'store-failed',
      `The store failed (${reason}). The relay has stopped.`,
      {
        hint:
          'Everything acknowledged is on disk. Check free space and the disk, ' +
          `then type: kith-relay start --home ${home}`,
        exitCode: EXIT.storeFailed,
        cause
      }
    )
  }
  await relay.stop()
}
