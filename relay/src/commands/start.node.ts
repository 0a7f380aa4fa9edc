// `kith-relay start`
import {
  createLog,
  type Log,
  type LogLevel,
  StoreError,
  sleep,
  systemClock
} from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { SECOND_MS } from '@kith/protocols'
import { type Command, Option } from 'commander'
import { EXIT, OperatorError } from '../errors.ts'
import { filesOf, readSettings, resolveHome } from '../home.node.ts'
import { type OpenedRelay, openRelay } from '../open.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly logLevel?: LogLevel
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
      new Option(
        '--log-level <level>',
        "least level written to standard error, instead of the settings'"
      ).choices(['debug', 'info', 'warn', 'error'])
    )
    .addHelpText('after', '\nExample:\n  kith-relay start --home ./relay')
    .action((options: Options) => start(options, output))
}

async function start(options: Options, output: Output): Promise<void> {
  const home = resolveHome(options.home, process.env)
  const files = filesOf(home, nodePrimitives.sha256)
  let { config } = await readSettings(files, process.env)
  const log = createLog({
    get level() {
      return options.logLevel ?? config.logLevel
    },
    now: systemClock.now,
    write: output.logLine
  })
  // Before anything is open: whoever reads the ready line may send a signal at once.
  const { promise: toldToStop, resolve: stop } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
  const relay = await openRelay({
    home,
    log,
    env: process.env,
    onSettings: (next) => {
      config = next
    }
  })
  process.on('SIGHUP', () => void reload(relay, log))
  const { id, addresses, joinLink, http } = relay
  if (options.json === true) output.json({ event: 'ready', id, addresses, joinLink, http })
  else output.line(`ready ${joinLink}`)
  try {
    await Promise.race([toldToStop, relay.failed])
  } catch (cause) {
    throw storeFailed(cause, home)
  }
  await drain(relay, config.drainSeconds * SECOND_MS)
  await relay.stop()
}

/** Settings that are wrong change nothing: the relay goes on as it was. */
async function reload(relay: OpenedRelay, log: Log): Promise<void> {
  try {
    const differences = await relay.reload()
    if (differences.length === 0) log.info('settings read again: nothing differs')
  } catch (error) {
    log.error('settings not taken', { reason: error instanceof Error ? error.message : 'unknown' })
  }
}

/** Requests under way are answered, within the time for it; nobody new is let in. */
async function drain(relay: OpenedRelay, mostMs: number): Promise<void> {
  const isLate = new AbortController()
  await Promise.race([relay.drain(), sleep(systemClock, mostMs, isLate.signal)])
  isLate.abort()
}

function storeFailed(cause: unknown, home: string): OperatorError {
  const reason = cause instanceof StoreError ? `${cause.code}: ${cause.message}` : String(cause)
  return new OperatorError('store-failed', `The store failed (${reason}). The relay has stopped.`, {
    hint:
      'Everything acknowledged is on disk. Check free space and the disk, ' +
      `then type: kith-relay start --home ${home}`,
    exitCode: EXIT.storeFailed,
    cause
  })
}
