// Settings from a file and from the environment: the environment wins over the file, the file over the defaults. What
// is wrong is said by its key, with the line of the file, or the name of the variable.
import { MIB } from '@kith/protocols'
import { parse, TomlError } from 'smol-toml'
import { ConfigError } from './kinds.ts'
import {
  ALL_SETTINGS,
  DEFAULT_CONFIG,
  type NamedSetting,
  type RelayConfig,
  settingValue
} from './settings.ts'

/** Largest settings file that is read. */
const CONFIG_BYTES_MAX = MIB / 16
const PREFIX = 'KITH_RELAY_'
/** Not settings: where the folder is. */
const OTHER_VARIABLES = new Set(['KITH_RELAY_HOME'])

export type Origin = 'default' | 'file' | 'environment'

export interface ReadConfig {
  readonly config: RelayConfig
  /** Where each value comes from, by key. */
  readonly origins: ReadonlyMap<string, Origin>
}

/** Reads a settings file (TOML) and the environment over it. Throws ConfigError. */
export function readConfig(
  text: string,
  env: Readonly<Record<string, string | undefined>> = {}
): ReadConfig {
  if (text.length > CONFIG_BYTES_MAX) throw new ConfigError('The settings are too long.')
  const values = new Map<string, unknown>()
  const origins = new Map<string, Origin>(ALL_SETTINGS.map(({ key }) => [key, 'default']))
  for (const [key, value] of flatten(parseToml(text))) {
    values.set(key, requireSetting(key).kind.check(value, key))
    origins.set(key, 'file')
  }
  for (const [variable, given] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || OTHER_VARIABLES.has(variable) || given === undefined)
      continue
    const setting = ALL_SETTINGS.find((one) => one.variable === variable)
    if (setting === undefined) throw unknownVariable(variable)
    values.set(setting.key, setting.kind.check(setting.kind.fromText(given), variable))
    origins.set(setting.key, 'environment')
  }
  return { config: configOf(values), origins }
}

/** A configuration with these values, by key, in place of the defaults. Throws ConfigError. */
export function configWith(values: Readonly<Record<string, unknown>>): RelayConfig {
  const checked = Object.entries(values).map(
    ([key, value]) => [key, requireSetting(key).kind.check(value, key)] as const
  )
  return configOf(new Map(checked))
}

function configOf(values: ReadonlyMap<string, unknown>): RelayConfig {
  const top: Record<string, unknown> = {}
  const limits: Record<string, unknown> = {}
  for (const setting of ALL_SETTINGS) {
    const { key, section, name } = setting
    const value = values.has(key) ? values.get(key) : setting.default
    if (section === 'limits') limits[name] = value
    else top[name] = value
  }
  return { ...DEFAULT_CONFIG, ...top, limits: { ...DEFAULT_CONFIG.limits, ...limits } }
}

function parseToml(text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const [reason = ''] = cause.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new ConfigError(`The settings cannot be read, line ${cause.line}: ${reason}.`, { cause })
  }
}

/** Keys as errors name them. */
function flatten(document: Record<string, unknown>): [string, unknown][] {
  return Object.entries(document).flatMap(([name, value]): [string, unknown][] => {
    if (name !== 'limits') return [[name, value]]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ConfigError('"limits" must be a section: [limits].')
    }
    return Object.entries(value).map(([inner, given]) => [`limits.${inner}`, given])
  })
}

function requireSetting(key: string): NamedSetting {
  const setting = ALL_SETTINGS.find((one) => one.key === key)
  if (setting !== undefined) return setting
  const near = nearest(
    key,
    ALL_SETTINGS.map((one) => one.key)
  )
  throw new ConfigError(`Unknown setting "${key}". Did you mean "${near}"?`)
}

function unknownVariable(variable: string): ConfigError {
  const near = nearest(
    variable,
    ALL_SETTINGS.map((one) => one.variable)
  )
  return new ConfigError(`Unknown setting ${variable} in the environment. Did you mean ${near}?`)
}

export interface Difference {
  readonly key: string
  readonly before: unknown
  readonly after: unknown
  /** Only a restart brings it about. */
  readonly needsRestart: boolean
}

/** What is another value in the second configuration. */
export function differencesOf(before: RelayConfig, after: RelayConfig): readonly Difference[] {
  return ALL_SETTINGS.flatMap((setting) => {
    const [old, now] = [settingValue(before, setting), settingValue(after, setting)]
    if (JSON.stringify(old) === JSON.stringify(now)) return []
    return [{ key: setting.key, before: old, after: now, needsRestart: !setting.isReloadable }]
  })
}

/** The known name with the smallest edit distance. */
function nearest(name: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, cost: distance(name, candidate) }))
  ranked.sort((a, b) => a.cost - b.cost)
  return ranked[0]?.candidate ?? ''
}

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= Math.min(from.length, 64); i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
