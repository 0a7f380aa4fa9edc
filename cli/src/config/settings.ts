// What can be set besides on the command line, each defined once: an option outranks the environment, the environment the
// file, the file the default.
import { CommandError } from '../errors.ts'

export type Origin = 'option' | 'environment' | 'file' | 'default'

export type SettingKey = 'home' | 'passphrase_file' | 'color' | 'http'

export interface Setting {
  /** In the file. */
  readonly key: SettingKey
  /** Variable of the environment. */
  readonly variable: string
  readonly option: string
  readonly about: string
  readonly choices?: readonly string[]
  /** A path: absolute in the file, which is read wherever a command is run. */
  readonly isPath?: true
}

export const SETTINGS: readonly Setting[] = [
  {
    key: 'home',
    variable: 'KITH_HOME',
    option: '--home',
    about: 'folder in which the account lives',
    isPath: true
  },
  {
    key: 'passphrase_file',
    variable: 'KITH_PASSPHRASE_FILE',
    option: '--passphrase-file',
    about: 'file with the passphrase of the key file',
    isPath: true
  },
  {
    key: 'color',
    variable: 'KITH_COLOR',
    option: '--color',
    about: 'colours on a terminal: auto, never or always; NO_COLOR is never',
    choices: ['auto', 'never', 'always']
  },
  {
    key: 'http',
    variable: 'KITH_HTTP',
    option: '--http',
    about: 'port, or loopback address and port, of kith daemon'
  }
]

export interface Value {
  /** Undefined: not set, and without a default. */
  readonly value: string | undefined
  readonly origin: Origin
  /** The variable of the environment that it comes from. */
  readonly variable?: string
}

export type Settings = Readonly<Record<SettingKey, Value>>

export interface Sources {
  /** Given as options. */
  readonly options: Partial<Record<SettingKey, string | undefined>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly file: FileSettings
  readonly defaults: Partial<Record<SettingKey, string>>
}

export interface FileSettings {
  readonly path: string
  readonly values: Partial<Record<SettingKey, string>>
}

/** Throws CommandError `bad-config` for a word that is not among the choices. */
export function resolveSettings({ options, env, file, defaults }: Sources): Settings {
  const resolve = (setting: Setting): Value => {
    const { key } = setting
    const isPlain = key === 'color' && Boolean(env.NO_COLOR)
    const variable = isPlain ? 'NO_COLOR' : setting.variable
    const fromEnv = isPlain ? 'never' : env[variable]
    const found: readonly (readonly [Origin, string | undefined])[] = [
      ['option', options[key]],
      ['environment', fromEnv],
      ['file', file.values[key]]
    ]
    for (const [origin, value] of found) {
      if (value === undefined || value === '') continue
      requireChoice(setting, value, whereOf(setting, origin, file.path))
      return origin === 'environment' ? { value, origin, variable } : { value, origin }
    }
    return { value: defaults[key], origin: 'default' }
  }
  return Object.fromEntries(SETTINGS.map((one) => [one.key, resolve(one)])) as Settings
}

function whereOf(setting: Setting, origin: Origin, path: string): string {
  if (origin === 'file') return `"${setting.key}" in ${path}`
  return origin === 'option' ? setting.option : setting.variable
}

function requireChoice({ choices }: Setting, value: string, where: string): void {
  if (choices === undefined || choices.includes(value)) return
  throw new CommandError('bad-config', `${where} is one of ${choices.join(', ')}, not ${value}.`)
}

/** What a parsed file sets. Throws CommandError `bad-config` for an unknown key or a value that is no text. */
export function readFileSettings(
  path: string,
  table: Readonly<Record<string, unknown>>
): FileSettings {
  const values: Partial<Record<SettingKey, string>> = {}
  for (const [key, value] of Object.entries(table)) {
    const setting = SETTINGS.find((one) => one.key === key)
    if (setting === undefined) {
      throw new CommandError('bad-config', `${path} sets "${key}", which is no setting.`, {
        hint: `There are: ${SETTINGS.map((one) => one.key).join(', ')}`
      })
    }
    const isPort = setting.key === 'http' && Number.isSafeInteger(value)
    if (typeof value !== 'string' && !isPort) {
      throw new CommandError('bad-config', `"${key}" in ${path} has to be a text in quotes.`)
    }
    if (setting.isPath === true && !String(value).startsWith('/')) {
      throw new CommandError('bad-config', `"${key}" in ${path} has to be an absolute path.`)
    }
    values[setting.key] = String(value)
  }
  return { path, values }
}
