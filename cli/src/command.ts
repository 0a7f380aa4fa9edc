// What a command is: data for the parser and the help, and a function that runs it. Command files import nothing
// heavy, so that help is instant; `context.open()` loads what is needed.
import type { ReadStream, WriteStream } from 'node:tty'
import type { MessengerApi } from '@kith/node'
import type { Clock } from './clock.ts'
import type { Settings } from './config/settings.ts'
import type { Engine, Log, SecretSource } from './engine.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Output, SafeText } from './output.ts'

export interface ArgumentSpec {
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
  /** The words that it may be. */
  readonly choices?: readonly string[]
  /** Takes all that follow; only the last argument may. */
  readonly variadic?: boolean
}

export interface OptionSpec {
  /** As in the help: `--limit <number>`. The long form without dashes is the key in `Input`. */
  readonly flags: string
  readonly summary: string
  readonly mandatory?: boolean
  readonly choices?: readonly string[]
  /** Makes the option a whole number within the bounds. */
  readonly range?: { readonly min: number; readonly max: number }
}

/** What was typed. Asking for a name that the command does not declare is a programming error. */
export interface Input {
  text(argument: string): string
  list(argument: string): readonly string[]
  option(key: string): string | undefined
  number(key: string): number | undefined
  flag(key: string): boolean
}

/** Standard input: bytes, and whether a person types them. */
export interface InputStream {
  readonly isTerminal: boolean
  readonly bytes: AsyncIterable<Uint8Array>
}

/** A messenger, in this process or behind the local socket of the process that holds the store. */
export interface Session {
  readonly api: MessengerApi
  /** Whether this process holds the store. */
  readonly isHolder: boolean
  /** Called after the messenger was lost and found again: events in between have to be read by listing. */
  onReopened(listener: () => void): void
  /** Stops what this process started; clients of its socket are told. */
  close(): Promise<void>
}

/** Standard input and output when both are a terminal, for a program that fills it. */
export interface FullScreen {
  readonly input: ReadStream
  readonly output: WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Hands what would be written to standard error to `take`, until the returned function is called. */
  holdDiagnostics(take: (text: string) => void): () => void
}

/** Every command there is. */
export interface CommandTable {
  /** In the order of the help. */
  readonly commands: readonly Command[]
  /** What each noun is about. */
  readonly nouns: Readonly<Record<string, string>>
}

/** What a command gets to work with. */
export interface Context {
  readonly table: CommandTable
  readonly home: string
  readonly settings: Settings
  /** Path of the file of settings, which may not exist. */
  readonly configFile: string
  readonly output: Output
  readonly stdin: InputStream
  /** Aborted by Ctrl-C, a termination signal, or when nobody reads standard output any more. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
  /** When the command began; what was stored since is new to whoever runs it. */
  readonly startedAtMs: number
  readonly secrets: SecretSource
  /** Reads the machine's `Engine`, which loads libp2p and the store. */
  engine(): Promise<Engine>
  /** On a terminal, says what is waited for once it takes more than a second. */
  waiting<T>(what: SafeText, work: Promise<T>): Promise<T>
  /** Opens the messenger; closed by the caller of the command at the end. */
  open(): Promise<Session>
  /** Line editor of the terminal, when standard input and output both are one. */
  readonly editor: LineEditor | undefined
  /** When standard input and output both are a terminal. */
  readonly fullScreen: FullScreen | undefined
}

/** A terminal with an input line at the bottom, and everything else above it; see chat/terminal.node.ts. */
export interface LineEditor {
  readonly columns: number
  readonly rows: number
  /** Lines typed, until end of input (Ctrl-D), Ctrl-C or the signal. */
  lines(prompt: string, signal: AbortSignal): AsyncIterable<string>
  /** Prints above the input line. */
  print(text: SafeText): void
  /** Overwrites characters `rowsUp` rows above the input line, from `column` (0 is the first). */
  overwrite(rowsUp: number, column: number, text: SafeText): void
}

export interface Command {
  readonly noun: string
  /** Absent for a command of one word, like `chat`. */
  readonly verb?: string
  readonly summary: string
  /** What a person should know before using it; the first lines of its help. */
  readonly description: string
  readonly example: string
  readonly arguments: readonly ArgumentSpec[]
  readonly options: readonly OptionSpec[]
  /**
   * What it is as a method of the socket: with `list` all its lines of JSON are the result, else the one. `none`: it
   * needs a terminal, goes on for ever, or makes the account that others work on.
   */
  readonly result?: 'value' | 'list' | 'none'
  /** Resolves to the exit code; 0 when nothing is returned. */
  run(context: Context, input: Input): Promise<ExitCode | undefined>
}

/** Declares a command. */
export function defineCommand(command: Command): Command {
  return command
}
