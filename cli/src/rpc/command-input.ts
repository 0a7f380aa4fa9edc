// A command's arguments and options as named parameters: `kith message list bob --limit 5` is
// `{"who": "bob", "limit": 5}`. Checked like the words of a command line, from the same declaration.
import type { ArgumentSpec, Command, Input, OptionSpec } from '../command.ts'
import { CommandError } from '../errors.ts'
import { inputOf } from '../input.ts'
import type { RpcParams } from './json-rpc.ts'

/** Longest text of a parameter: a message of 16 KiB fits with room. */
const TEXT_CHARACTERS_MAX = 65_536
/** Words that a list may have. */
const LIST_LENGTH_MAX = 1_000
/** What standard input would have brought. */
export const STDIN = 'stdin'

/** `--passphrase-file <file>` is `passphraseFile`. */
export function optionKey({ flags }: OptionSpec): string {
  const long = /--([a-z][a-z-]*)/.exec(flags)?.[1] ?? ''
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Whether an option is either there or not. */
export const isFlag = ({ flags }: OptionSpec): boolean => !/[<[]/.test(flags)

/** Throws CommandError `usage` for a missing, unknown or ill-typed parameter. */
export function inputFromParams(command: Command, params: RpcParams): Input {
  const values = new Map<string, unknown>()
  for (const spec of command.arguments) {
    values.set(spec.name, readArgument(spec, given(params, spec.name)))
  }
  for (const spec of command.options) {
    const key = optionKey(spec)
    values.set(key, readOption(spec, key, given(params, key)))
  }
  for (const key of Object.keys(params)) {
    if (!values.has(key) && key !== STDIN) refuse(`there is no parameter ${key}`)
  }
  return inputOf(values)
}

const given = (params: RpcParams, key: string): unknown =>
  Object.hasOwn(params, key) ? params[key] : undefined

function refuse(why: string): never {
  throw new CommandError('usage', `Invalid parameters: ${why}.`)
}

function readArgument(spec: ArgumentSpec, value: unknown): unknown {
  if (value === undefined) {
    if (spec.optional !== true) refuse(`${spec.name} is missing`)
    return undefined
  }
  if (spec.variadic !== true) return readText(spec.name, value, spec.choices)
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || list.length === 0) refuse(`${spec.name} is no list of texts`)
  if (list.length > LIST_LENGTH_MAX) refuse(`${spec.name} has more than ${LIST_LENGTH_MAX} texts`)
  return list.map((one) => readText(spec.name, one, spec.choices))
}

function readOption(spec: OptionSpec, key: string, value: unknown): unknown {
  if (value === undefined) {
    if (spec.mandatory === true) refuse(`${key} is missing`)
    return undefined
  }
  if (isFlag(spec)) {
    if (typeof value !== 'boolean') refuse(`${key} is not true or false`)
    return value
  }
  const { range } = spec
  if (range === undefined) return readText(key, value, spec.choices)
  const isWithin =
    Number.isInteger(value) && Number(value) >= range.min && Number(value) <= range.max
  if (!isWithin) refuse(`${key} is no whole number from ${range.min} to ${range.max}`)
  return value
}

function readText(key: string, value: unknown, choices: readonly string[] | undefined): string {
  if (typeof value !== 'string') refuse(`${key} is not a text`)
  if (value.length > TEXT_CHARACTERS_MAX) refuse(`${key} is longer than ${TEXT_CHARACTERS_MAX}`)
  if (choices !== undefined && !choices.includes(value)) {
    refuse(`${key} is none of ${choices.join(', ')}`)
  }
  return value
}
