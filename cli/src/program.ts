// Builds the command line from the table of commands: parsing, help and hints are commander's, words are ours.
import { Argument, Option, Command as Program } from 'commander'
import type { Command, Input, OptionSpec } from './command.ts'
import { COMMANDS, NOUNS } from './commands/index.ts'
import { CommandError } from './errors.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'
import { inputOf } from './input.ts'

export interface GlobalOptions {
  readonly home: string | undefined
  readonly json: boolean
  readonly passphraseFile: string | undefined
  readonly color: string | undefined
}

/** What was asked for: a command to run, or a text to print (help, version). */
export type Parsed =
  | {
      readonly kind: 'run'
      readonly command: Command
      readonly input: Input
      readonly globals: GlobalOptions
    }
  | { readonly kind: 'text'; readonly text: string }

/**
 * `argv` without the program's own two words. Without a command it is the one of one word that `whenNone` names, or the
 * help when nothing was typed at all. Throws CommandError `usage` with a hint.
 */
export function parseArguments(
  argv: readonly string[],
  version: string,
  whenNone?: string
): Parsed {
  if (argv.length === 0 && whenNone === undefined) return parseArguments(['--help'], version)
  const asked: { parsed: Parsed | undefined; text: string } = { parsed: undefined, text: '' }
  const program = createProgram(version, (command, input, globals) => {
    asked.parsed = { kind: 'run', command, input, globals }
  })
  configure(program, (text) => {
    asked.text += text
  })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string }
    if (code === 'commander.helpDisplayed' || code === 'commander.version') {
      return { kind: 'text', text: asked.text }
    }
    if (code?.startsWith('commander.') !== true) throw error
    const hasNoCommand = code === 'commander.help' && program.args.length === 0
    if (hasNoCommand && whenNone !== undefined) return parseArguments([...argv, whenNone], version)
    throw usageError(code, message ?? '', helpCommand(argv))
  }
  return asked.parsed ?? { kind: 'text', text: asked.text }
}

/** Commander throws instead of ending the process, and prints where we say, on every level. */
function configure(program: Program, write: (text: string) => void): void {
  program.exitOverride()
  program.configureOutput({
    writeOut: write,
    writeErr: () => undefined,
    outputError: () => undefined
  })
  program.configureHelp({ showGlobalOptions: true })
  for (const child of program.commands) configure(child, write)
}

type Take = (command: Command, input: Input, globals: GlobalOptions) => void

function createProgram(version: string, take: Take): Program {
  const program = new Program('kith')
  program.description(
    'A messenger with no company in the middle. Messages are end-to-end encrypted, go from device to device, and wait ' +
      'on a relay of your choice while the other side sleeps.'
  )
  program.version(version, '--version', 'print the version')
  program.helpOption('-h, --help', 'show help')
  program.helpCommand('help [command]', 'show help of a command')
  program.addHelpText('after', epilogue())
  for (const [flags, summary] of GLOBAL_OPTIONS) program.option(flags, summary)
  const nouns = new Map<string, Program>()
  for (const command of COMMANDS) {
    const parent = command.verb === undefined ? program : nounProgram(program, nouns, command.noun)
    addCommand(parent, program, command, take)
  }
  return program
}

function nounProgram(program: Program, nouns: Map<string, Program>, noun: string): Program {
  const known = nouns.get(noun)
  if (known !== undefined) return known
  const created = program.command(noun).description(NOUNS[noun] ?? noun)
  created.helpOption('-h, --help', 'show help')
  created.helpCommand(false)
  nouns.set(noun, created)
  return created
}

function addCommand(parent: Program, program: Program, command: Command, take: Take): void {
  const child = parent.command(command.verb ?? command.noun)
  child.summary(command.summary)
  child.description(`${command.summary}.\n\n${flowing(command.description)}`)
  child.helpOption('-h, --help', 'show help')
  for (const spec of command.arguments) {
    const name = spec.variadic === true ? `${spec.name}...` : spec.name
    const argument = new Argument(spec.optional === true ? `[${name}]` : `<${name}>`, spec.summary)
    if (spec.choices !== undefined) argument.choices(spec.choices)
    child.addArgument(argument)
  }
  for (const spec of command.options) child.addOption(optionOf(spec))
  child.addHelpText('after', `\nExample:\n  ${command.example}\n`)
  child.action(() => {
    const globals = program.opts<Partial<GlobalOptions>>()
    take(command, inputFromWords(command, child), {
      home: globals.home,
      json: globals.json === true,
      passphraseFile: globals.passphraseFile,
      color: globals.color
    })
  })
}

/** Paragraphs without the line breaks of the source; commander breaks them to the terminal's width. */
const flowing = (text: string): string => text.replace(/(?<!\n)\n(?!\n)/g, ' ')

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.summary)
  if (spec.mandatory === true) option.makeOptionMandatory()
  if (spec.choices !== undefined) option.choices(spec.choices)
  const { range } = spec
  if (range !== undefined) option.argParser((text) => parseWhole(spec.flags, text, range))
  return option
}

function parseWhole(flags: string, text: string, range: { min: number; max: number }): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= range.min && value <= range.max) return value
  throw new CommandError(
    'usage',
    `${flags} takes a whole number from ${range.min} to ${range.max}, not ${text}.`
  )
}

/** Commander's name of an option: `--passphrase-file <file>` → `passphraseFile`. */
const keyOf = (option: Option): string => option.attributeName()

function inputFromWords(command: Command, program: Program): Input {
  const values = new Map<string, unknown>()
  command.arguments.forEach((spec, index) => {
    values.set(spec.name, program.processedArgs[index])
  })
  for (const option of program.options)
    values.set(keyOf(option), program.getOptionValue(keyOf(option)))
  return inputOf(values)
}

function helpCommand(argv: readonly string[]): string {
  const [noun, verb] = argv.filter((word) => !word.startsWith('-'))
  const known = COMMANDS.find(
    (command) => command.noun === noun && (command.verb === undefined || command.verb === verb)
  )
  if (known !== undefined)
    return ['kith', known.noun, known.verb, '--help'].filter(Boolean).join(' ')
  const hasNoun = COMMANDS.some((command) => command.noun === noun)
  return hasNoun ? `kith ${noun} --help` : 'kith --help'
}

/** Commander's `error: unknown command 'x'\n(Did you mean y?)` as one sentence of ours. */
function usageError(code: string, message: string, help: string): CommandError {
  if (code === 'commander.help') {
    return new CommandError('usage', 'The command is not complete.', { hint: help })
  }
  const words = message.replace(/^error: /, '')
  const [what = '', suggestion] = words.split(/\n\((?=Did you mean)/)
  const sentence = what.charAt(0).toUpperCase() + what.slice(1)
  const end = /[.!?]$/.test(sentence) ? '' : '.'
  const extra = suggestion === undefined ? '' : ` ${suggestion.replace(/\)$/, '')}`
  return new CommandError('usage', `${sentence}${end}${extra}`, { hint: help })
}

function epilogue(): string {
  const codes = EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
  return [
    '',
    'Example:',
    "  kith account create --relay 'kith:join/…' --name alice",
    "  kith contact add 'kith:contact/…' --name bob",
    '  kith chat bob',
    '',
    'Exit codes:',
    ...codes,
    ''
  ].join('\n')
}
