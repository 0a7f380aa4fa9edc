// Every command as a method: `kith contact list --blocked` is `contact.list` with `{"blocked": true}`. What the command
// would print with --json is the result: its value, or the list of its lines.
import type { MessengerApi } from '@kith/node'
import type { Clock } from '../clock.ts'
import type { Command, CommandTable, Context, Session } from '../command.ts'
import type { Settings } from '../config/settings.ts'
import type { Engine, Log } from '../engine.ts'
import { CommandError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { inputFromParams, STDIN } from './command-input.ts'
import type { RpcParams } from './json-rpc.ts'

/** What commands need besides their parameters. */
export interface CommandHost {
  readonly table: CommandTable
  readonly home: string
  readonly clock: Clock
  readonly log: Log
  readonly engine: () => Promise<Engine>
  readonly settings: Settings
  readonly configFile: string
  readonly api: MessengerApi
}

/** `message.send`; a command of one word by its word. */
export const methodNameOf = ({ noun, verb }: Command): string =>
  verb === undefined ? noun : `${noun}.${verb}`

/** Those that make sense without a terminal and on an account that is there. */
export function commandMethods({ commands }: CommandTable): ReadonlyMap<string, Command> {
  const methods = commands.filter(({ result }) => result !== 'none')
  return new Map(methods.map((command) => [methodNameOf(command), command]))
}

/** Runs a command. Throws what it throws, and `not-reached` when it ends with an exit code of its own. */
export async function callCommand(
  command: Command,
  params: RpcParams,
  { host, signal }: { host: CommandHost; signal: AbortSignal }
): Promise<unknown> {
  const printed: unknown[] = []
  const input = inputFromParams(command, params)
  const context = contextOf(host, { signal, stdin: params[STDIN], printed })
  const code = (await command.run(context, input)) ?? EXIT.ok
  const result = command.result === 'list' ? printed : (printed[0] ?? null)
  if (code === EXIT.ok) return result
  throw new CommandError('not-reached', `The command ended with exit code ${code}.`, {
    data: { exitCode: code, result }
  })
}

function contextOf(
  { api, ...host }: CommandHost,
  { signal, stdin, printed }: { signal: AbortSignal; stdin: unknown; printed: unknown[] }
): Context {
  const session: Session = {
    api,
    isHolder: true,
    onReopened: () => undefined,
    close: async () => undefined
  }
  return {
    ...host,
    output: collecting(printed),
    stdin: { isTerminal: false, bytes: bytesOf(stdin) },
    signal,
    startedAtMs: host.clock.now(),
    secrets: { given: async () => undefined, ask: async () => undefined },
    waiting: (_, work) => work,
    open: async () => session,
    editor: undefined,
    fullScreen: undefined
  }
}

/** What is for people is left out; a failure that does not end the command is in its values too. */
function collecting(printed: unknown[]): Output {
  return {
    json: true,
    print: async () => undefined,
    value: async (value) => void printed.push(value),
    notice: async () => undefined,
    failure: async () => undefined,
    style: (_, text) => text
  }
}

async function* bytesOf(text: unknown): AsyncIterable<Uint8Array> {
  if (typeof text === 'string') yield new TextEncoder().encode(text)
}
