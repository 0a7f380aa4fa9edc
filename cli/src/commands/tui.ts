// `kith tui`, and `kith` alone on a terminal: the full-screen terminal, loaded only here.
import { type Context, defineCommand, type FullScreen, type Input } from '../command.ts'
import { CommandError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'

/** As in tui/theme.ts, which is not loaded for the help. */
const THEMES = ['dark', 'light', 'plain'] as const

export const tui = defineCommand({
  noun: 'tui',
  result: 'none',
  summary: 'Talk on the full screen of this terminal (kith alone does the same)',
  description:
    'Conversations, people, requests and devices on the whole screen: Enter opens and sends, Esc leads back, F1 shows\n' +
    'every key, Ctrl-C leaves. On a machine without an account it makes one. Other kith commands work meanwhile. The\n' +
    'theme is remembered; without colours (--color never, NO_COLOR) it is plain unless --theme says otherwise.',
  example: 'kith tui --theme light',
  arguments: [],
  options: [
    {
      flags: '--theme <name>',
      summary: 'colours: dark, light, or plain (none)',
      choices: THEMES
    }
  ],
  run: runTui
})

async function runTui(context: Context, input: Input): Promise<ExitCode> {
  const screen = requireScreen(context)
  const chosen = input.option('theme')
  const theme = THEMES.find((name) => name === chosen)
  const { loadFullScreen } = await import('../tui/load.node.ts')
  const { runFullScreen } = await loadFullScreen(screen.env)
  return runFullScreen(context, { screen, theme })
}

function requireScreen({ fullScreen, output }: Context): FullScreen {
  const hint = 'kith chat <who>, which needs no more than lines'
  if (output.json) throw new CommandError('usage', 'The full screen has no JSON form.', { hint })
  if (fullScreen === undefined) {
    throw new CommandError('usage', 'Standard input and output are not a terminal.', { hint })
  }
  const { TERM } = fullScreen.env
  if (TERM !== undefined && TERM !== '' && TERM !== 'dumb') return fullScreen
  const what = TERM === 'dumb' ? 'TERM=dumb' : 'TERM is not set'
  throw new CommandError('usage', `This terminal cannot move its cursor (${what}).`, { hint })
}
