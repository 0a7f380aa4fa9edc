// Manual pages from the table of commands: man(7) macros, one page for kith and one for each command.
import type { ArgumentSpec, Command, CommandTable, OptionSpec } from './command.ts'
import { SETTINGS } from './config/settings.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'

/** Text of a page: dashes as typed, no escapes, no line that begins like a macro. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=['.])/gm, '\\&')

const nameOf = ({ noun, verb }: Command): string =>
  verb === undefined ? `kith ${noun}` : `kith ${noun} ${verb}`

const pageOf = (command: Command): string => nameOf(command).replaceAll(' ', '-')

/** Names of files, and what is in them. */
export function manPages(table: CommandTable): ReadonlyMap<string, string> {
  return new Map([
    ['kith.1', mainPage(table)],
    ...table.commands.map((command) => [`${pageOf(command)}.1`, commandPage(command)] as const)
  ])
}

function section(title: string, ...lines: readonly string[]): string {
  return [`.SH ${title}`, ...lines].join('\n')
}

const item = (term: string, text: string): string => `.TP\n.B ${term}\n${roff(text)}`

function mainPage({ commands, nouns }: CommandTable): string {
  const entries = commands.map((command) => item(roff(nameOf(command)), command.summary))
  const settings = SETTINGS.map(({ key, variable, option, about }) =>
    item(roff(key), `${about} (${variable}, ${option})`)
  )
  return `${[
    '.TH KITH 1 "" "" "Kith"',
    section('NAME', 'kith \\- a messenger with no company in the middle'),
    section('SYNOPSIS', '.B kith', '.I noun verb', '[options]'),
    section(
      'DESCRIPTION',
      roff(
        'Messages are end-to-end encrypted, go from device to device, and wait on a relay of your choice while the other side sleeps. ' +
          'Data goes to standard output, everything else to standard error.'
      ),
      '.PP',
      roff(
        `About ${Object.entries(nouns)
          .map(([noun, about]) => `${noun}: ${about}`)
          .join('; ')}.`
      )
    ),
    section('COMMANDS', ...entries),
    section('OPTIONS', ...GLOBAL_OPTIONS.map(([flags, summary]) => item(roff(flags), summary))),
    section(
      'SETTINGS',
      roff('In $XDG_CONFIG_HOME/kith/config.toml; see kith-config-show(1).'),
      ...settings
    ),
    exitStatus(),
    section('SEE ALSO', ...commands.map((command) => `.BR ${roff(pageOf(command))} (1)`))
  ].join('\n')}\n`
}

function commandPage(command: Command): string {
  const { summary, description, example } = command
  const parts = [
    `.TH ${roff(pageOf(command).toUpperCase())} 1 "" "" "Kith"`,
    section(
      'NAME',
      `${roff(pageOf(command))} \\- ${roff(summary.charAt(0).toLowerCase() + summary.slice(1))}`
    ),
    section(
      'SYNOPSIS',
      `.B ${roff(nameOf(command))}`,
      ...command.arguments.map(synopsis),
      '[options]'
    ),
    section(
      'DESCRIPTION',
      ...description
        .split('\n\n')
        .flatMap((one, index) => [...(index > 0 ? ['.PP'] : []), roff(one.replaceAll('\n', ' '))])
    )
  ]
  if (command.arguments.length > 0) {
    parts.push(
      section(
        'ARGUMENTS',
        ...command.arguments.map(({ name, summary: about }) => item(roff(name), about))
      )
    )
  }
  if (command.options.length > 0) parts.push(section('OPTIONS', ...command.options.map(optionItem)))
  parts.push(
    section('EXAMPLE', '.EX', roff(example), '.EE'),
    exitStatus(),
    section('SEE ALSO', '.BR kith (1)')
  )
  return `${parts.join('\n')}\n`
}

function synopsis({ name, optional, variadic }: ArgumentSpec): string {
  const word = `${roff(name)}${variadic === true ? ' ...' : ''}`
  return optional === true ? `.RI [ ${word} ]` : `.I ${word}`
}

function optionItem({ flags, summary, choices, range }: OptionSpec): string {
  const among = choices === undefined ? '' : `: ${choices.join(', ')}`
  const within = range === undefined ? '' : ` (${range.min} to ${range.max})`
  return item(roff(flags), `${summary}${among}${within}`)
}

function exitStatus(): string {
  return section('EXIT STATUS', ...EXIT_CODES.map(({ code, meaning }) => item(`${code}`, meaning)))
}
