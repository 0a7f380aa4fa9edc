// `kith completion`: a script for the shell, made of the same table of commands as the help.
import { type Context, defineCommand, type Input } from '../command.ts'
import { line } from '../output.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export const completion = defineCommand({
  noun: 'completion',
  summary: 'Print a completion script for bash, zsh or fish',
  description:
    'bash: `source <(kith completion bash)` in ~/.bashrc. zsh: the same in ~/.zshrc, after compinit.\n' +
    'fish: `kith completion fish > ~/.config/fish/completions/kith.fish`. Completes commands and options, with no account.',
  example: 'kith completion bash',
  arguments: [{ name: 'shell', summary: 'bash, zsh or fish', choices: SHELLS }],
  result: 'none',
  options: [],
  async run(context: Context, input: Input) {
    const { completionScript } = await import('../completion.ts')
    const shell = input.text('shell') as (typeof SHELLS)[number]
    const script = completionScript(shell, context.table)
    await context.output.value({ shell, script })
    for (const text of script.trimEnd().split('\n')) await context.output.print(line`${text}`)
    return undefined
  }
})
