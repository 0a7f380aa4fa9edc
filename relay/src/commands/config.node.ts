// `kith-relay config check|show|schema`
import { nodePrimitives } from '@kith/node/kernel/host'
import type { Command } from 'commander'
import {
  ALL_SETTINGS,
  configSchema,
  DEFAULT_CONFIG,
  type Origin,
  settingValue,
  writeConfig
} from '../config/index.ts'
import { filesOf, readSettings, resolveHome } from '../home.node.ts'
import type { Output } from '../output.ts'

interface Options {
  readonly home?: string
  readonly json?: boolean
  readonly origin?: boolean
  readonly default?: boolean
}

const ORIGINS: Readonly<Record<Origin, string>> = {
  default: 'default',
  file: 'relay.toml',
  environment: 'environment'
}

/** Adds the commands to the program; they throw OperatorError. */
export function addConfig(program: Command, output: Output): void {
  const config = program.command('config').description('the settings: check them, show them')
  config
    .command('check')
    .description('say what is wrong with the settings; nothing is changed')
    .option('--home <folder>', 'where the relay lives')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay config check --home ./relay')
    .action((options: Options) => check(options, output))
  config
    .command('show')
    .description('print the settings in force, or those of a fresh relay')
    .option('--home <folder>', 'where the relay lives')
    .option('--origin', 'where each value comes from: default, file or environment')
    .option('--default', 'the commented file with every default; needs no relay')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExample:\n  kith-relay config show --origin --home ./relay')
    .action((options: Options) => show(options, output))
  config
    .command('schema')
    .description('print the JSON schema of the settings, for editors')
    .addHelpText('after', '\nExample:\n  kith-relay config schema > relay.schema.json')
    .action(() => output.line(JSON.stringify(configSchema(), undefined, 2)))
}

function settingsOf(options: Options) {
  const files = filesOf(resolveHome(options.home, process.env), nodePrimitives.sha256)
  return { files, read: readSettings(files, process.env) }
}

async function check(options: Options, output: Output): Promise<void> {
  const { files, read } = settingsOf(options)
  const { origins } = await read
  const given = [...origins].filter(([, origin]) => origin !== 'default').map(([key]) => key)
  if (options.json === true) output.json({ ok: true, file: files.config, given })
  else
    output.line(
      `${files.config} is good; ${given.length} of ${ALL_SETTINGS.length} settings are given.`
    )
}

async function show(options: Options, output: Output): Promise<void> {
  if (options.default === true) return output.line(writeConfig(DEFAULT_CONFIG).trimEnd())
  const { config, origins } = await settingsOf(options).read
  if (options.json === true && options.origin !== true) return output.json(config)
  if (options.json === true) {
    const all = ALL_SETTINGS.map((setting) => [
      setting.key,
      { value: settingValue(config, setting), origin: origins.get(setting.key) }
    ])
    return output.json(Object.fromEntries(all))
  }
  for (const setting of ALL_SETTINGS) {
    const value = JSON.stringify(settingValue(config, setting))
    const origin = ORIGINS[origins.get(setting.key) ?? 'default']
    output.line(`${setting.key} = ${value}${options.origin === true ? `  # ${origin}` : ''}`)
  }
}
