// `kith config show`: the settings in force, and where each comes from.
import { type Context, defineCommand, type Input } from '../../command.ts'
import { SETTINGS } from '../../config/settings.ts'
import { line } from '../../output.ts'

export const configShow = defineCommand({
  noun: 'config',
  verb: 'show',
  summary: 'Show the settings in force',
  description:
    'Prints each setting as it is in force here. An option outranks the environment, the environment the file\n' +
    '($XDG_CONFIG_HOME/kith/config.toml, or what KITH_CONFIG names), the file the default. --origin says which it\n' +
    'was. Needs no account.',
  example: 'kith config show --origin',
  arguments: [],
  options: [{ flags: '--origin', summary: 'say where each value comes from' }],
  result: 'list',
  async run(context: Context, input: Input) {
    const { output, settings, configFile } = context
    await output.notice(line`file: ${configFile}`)
    for (const { key, variable, about } of SETTINGS) {
      const { value, origin, variable: from = variable } = settings[key]
      await output.value({ key, value, origin, variable: from, about })
      const shown =
        value === undefined ? `# ${key} is not set` : `${key} = ${JSON.stringify(value)}`
      const where = origin === 'environment' ? `environment (${from})` : origin
      await output.print(input.flag('origin') ? line`${shown}  # ${where}` : line`${shown}`)
    }
    return undefined
  }
})
