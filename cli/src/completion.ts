// Completion scripts from the table of commands. What is completed is known when the script is made: the shell never runs
// `kith` for it.
import type { Command, CommandTable } from './command.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'

type Shell = 'bash' | 'zsh' | 'fish'

interface Word {
  readonly word: string
  readonly about: string
}

/** The words behind a command: verbs of a noun, options of a command. */
interface Position {
  /** Words typed so far, without `kith`. */
  readonly path: readonly string[]
  readonly words: readonly Word[]
}

/** Words are letters and dashes; what they are about is ours: nothing in a script needs more quoting than this. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The script for a shell, ending in a line break. */
export function completionScript(shell: Shell, table: CommandTable): string {
  const all = positions(table)
  if (shell === 'fish') return fish(all)
  return shell === 'bash' ? bash(all) : zsh(all)
}

function positions({ commands, nouns: abouts }: CommandTable): readonly Position[] {
  const globals = optionWords(GLOBAL_OPTIONS.map(([flags, summary]) => ({ flags, summary })))
  const nouns = new Map<string, Word>()
  for (const { noun, verb, summary } of commands) {
    nouns.set(noun, { word: noun, about: verb === undefined ? summary : (abouts[noun] ?? noun) })
  }
  const verbsOf = (noun: string): Word[] =>
    commands
      .filter((command) => command.noun === noun)
      .flatMap(({ verb, summary }) => (verb === undefined ? [] : [{ word: verb, about: summary }]))
  return [
    { path: [], words: [...nouns.values(), ...globals] },
    ...[...nouns.keys()]
      .map((noun) => ({ path: [noun], words: verbsOf(noun) }))
      .filter(({ words }) => words.length > 0),
    ...commands.map((command) => ({
      path: pathOf(command),
      words: [...choicesOf(command), ...optionWords(command.options), ...globals]
    }))
  ]
}

const pathOf = ({ noun, verb }: Command): readonly string[] =>
  verb === undefined ? [noun] : [noun, verb]

function choicesOf(command: Command): readonly Word[] {
  return command.arguments.flatMap(({ choices = [], summary }) =>
    choices.map((word) => ({ word, about: summary }))
  )
}

/** The long form of each, without its value. */
function optionWords(
  options: readonly { readonly flags: string; readonly summary: string }[]
): readonly Word[] {
  return options.flatMap(({ flags, summary }) => {
    const [long] = /--[\w-]+/.exec(flags) ?? []
    return long === undefined ? [] : [{ word: long, about: summary }]
  })
}

/** Options that take a file or a folder. */
const PATHS = ['--home', '--passphrase-file']

function bash(all: readonly Position[]): string {
  const cases = all.map(({ path, words }) => {
    const list = words.map(({ word }) => word).join(' ')
    return `    ${quoted(path.join(' '))}) words=${quoted(list)} ;;`
  })
  return `# bash completion of kith
_kith() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word
  case $before in
    ${PATHS.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  local count=0
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) continue ;; esac
    [ $count -lt 2 ] || break
    path="\${path:+$path }$word"
    count=$((count + 1))
  done
  case $path in
${cases.join('\n')}
    *) case \${path%% *} in
${all
  .filter(({ path, words }) => path.length === 1 && words.length > 0)
  .map(({ path, words }) => {
    const list = words.map(({ word }) => word).join(' ')
    return `      ${quoted(path[0] ?? '')}) words=${quoted(list)} ;;`
  })
  .join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kith kith
`
}

function zsh(all: readonly Position[]): string {
  const cases = all.map(({ path, words }) => {
    const list = words
      .map(({ word, about }) => quoted(`${word}:${about.replaceAll(':', '\\:')}`))
      .join(' ')
    return `    ${quoted(path.join(' '))}) found=(${list}) ;;`
  })
  return `#compdef kith
_kith() {
  local -a found
  local word where=''
  local -i count=0
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && continue
    (( count < 2 )) || break
    where="\${where:+$where }$word"
    count+=1
  done
  case $where in
${cases.join('\n')}
  esac
  if (( \${#found} )); then _describe 'kith' found; else _files; fi
}
compdef _kith kith
`
}

function fish(all: readonly Position[]): string {
  const lines = all.flatMap(({ path, words }) =>
    words.map(({ word, about }) => {
      const shown = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${quoted(word)}`
      return `complete -c kith -n ${quoted(conditionOf(path, all))} ${shown} -d ${quoted(about)}`
    })
  )
  return `# fish completion of kith\n${lines.join('\n')}\n`
}

function conditionOf(path: readonly string[], all: readonly Position[]): string {
  const [noun, verb] = path
  if (noun === undefined) return '__fish_use_subcommand'
  if (verb !== undefined)
    return `__fish_seen_subcommand_from ${noun}; and __fish_seen_subcommand_from ${verb}`
  const verbs = all.flatMap((one) => (one.path[0] === noun && one.path[1] ? [one.path[1]] : []))
  const seen = `__fish_seen_subcommand_from ${noun}`
  return verbs.length === 0
    ? seen
    : `${seen}; and not __fish_seen_subcommand_from ${verbs.join(' ')}`
}
