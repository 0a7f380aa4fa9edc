// Runs one `kith` command from its words to its exit code. Everything outside (streams, environment, engine) is passed
// in, so that tests run it as it is.

import { type Clock, systemClock } from './clock.ts'
import type { Context, FullScreen, InputStream, LineEditor, Session } from './command.ts'
import { COMMANDS, NOUNS } from './commands/index.ts'
import { type FileSettings, resolveSettings } from './config/settings.ts'
import type { Engine, Log, SecretSource } from './engine.ts'
import { CommandError, report } from './errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { createOutput, type Stream } from './output.ts'
import { type GlobalOptions, type Parsed, parseArguments } from './program.ts'
import { whileWaiting } from './progress.ts'

export interface Environment {
  /** Words after the program's name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly stdin: InputStream
  readonly stdout: Stream
  readonly stderr: Stream
  /** Aborted by Ctrl-C, a termination signal, or when nobody reads standard output any more. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  engine(): Promise<Engine>
  log(): Promise<Log>
  /** Where the account is by default. */
  readonly defaultHome: string
  /** An absolute path. */
  resolvePath(given: string): string
  /** Throws CommandError `bad-config`. */
  configFile(): Promise<FileSettings>
  secrets(passphraseFile: string | undefined): SecretSource
  editor(): Promise<LineEditor | undefined>
  /** Asked for when standard input and output both are a terminal. */
  fullScreen(): FullScreen | undefined
}

/** Never rejects: a failure is printed and becomes an exit code. */
export async function runCli(environment: Environment): Promise<ExitCode> {
  const debug = environment.env.KITH_DEBUG === '1'
  const json = isJsonAsked(environment.argv)
  try {
    return await parseAndRun(environment)
  } catch (error) {
    const { text, exitCode } = report(asInterruption(error, environment.signal), { json, debug })
    await environment.stderr.write(text)
    return exitCode
  }
}

/** Known before parsing, because parsing may be what fails. */
function isJsonAsked(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json')
}

/** Whatever fails after Ctrl-C failed because of it. */
function asInterruption(error: unknown, signal: AbortSignal): unknown {
  const isOwn = error instanceof CommandError && error.code === 'interrupted'
  return signal.aborted && !isOwn
    ? new CommandError('interrupted', 'Interrupted.', { cause: error })
    : error
}

async function parseAndRun(environment: Environment): Promise<ExitCode> {
  const { argv, version, stdin, stdout } = environment
  const isTerminal = stdin.isTerminal && stdout.isTerminal
  const parsed = parseArguments(argv, version, isTerminal ? 'tui' : undefined)
  if (parsed.kind === 'text') {
    await stdout.write(parsed.text)
    return EXIT.ok
  }
  return runCommand(environment, parsed)
}

async function runCommand(
  environment: Environment,
  parsed: Extract<Parsed, { kind: 'run' }>
): Promise<ExitCode> {
  let session: Promise<Session> | undefined
  const context = await createContext(environment, parsed.globals, (base) => {
    session ??= openLazily(base, environment).catch((error: unknown) => {
      // May be tried again: an account that was missing may have been made meanwhile.
      session = undefined
      throw error
    })
    return session
  })
  try {
    return (await parsed.command.run(context, parsed.input)) ?? EXIT.ok
  } finally {
    // An opening that failed has been thrown to the command already.
    const opened = await session?.catch(() => undefined)
    await opened?.close()
  }
}

async function openLazily(context: Context, environment: Environment): Promise<Session> {
  const { openSession } = await import('./session.node.ts')
  return openSession({
    table: context.table,
    home: context.home,
    settings: context.settings,
    configFile: context.configFile,
    engine: () => environment.engine(),
    secrets: context.secrets,
    clock: context.clock,
    log: context.log,
    signal: context.signal,
    onWarning: (message) => {
      void context.output.failure(new CommandError('warning', message))
    }
  })
}

async function createContext(
  environment: Environment,
  globals: GlobalOptions,
  open: (context: Context) => Promise<Session>
): Promise<Context> {
  const { stdout, stderr, env, signal } = environment
  const clock = environment.clock ?? systemClock
  const file = await environment.configFile()
  const settings = resolveSettings({
    options: {
      home: globals.home,
      passphrase_file: globals.passphraseFile,
      color: globals.color
    },
    env,
    file,
    defaults: { home: environment.defaultHome, color: 'auto' }
  })
  const colors = hasColors(settings.color.value, stdout.isTerminal && env.TERM !== 'dumb')
  const isTerminal = environment.stdin.isTerminal && stdout.isTerminal && !globals.json
  const context: Context = {
    table: { commands: COMMANDS, nouns: NOUNS },
    home: environment.resolvePath(settings.home.value ?? environment.defaultHome),
    settings,
    configFile: file.path,
    output: createOutput({ stdout, stderr, json: globals.json, colors }),
    stdin: environment.stdin,
    signal,
    clock,
    log: await environment.log(),
    startedAtMs: clock.now(),
    secrets: environment.secrets(settings.passphrase_file.value),
    engine: () => environment.engine(),
    waiting: (what, work) => whileWaiting({ stderr, clock, json: globals.json }, what, work),
    open: () => open(context),
    editor: isTerminal ? await environment.editor() : undefined,
    fullScreen: isTerminal ? environment.fullScreen() : undefined
  }
  return context
}

/** `always` is for pagers that show colours. */
function hasColors(wanted: string | undefined, isTerminal: boolean): boolean {
  return wanted === 'always' || (wanted !== 'never' && isTerminal)
}
