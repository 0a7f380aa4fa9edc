// The relay's settings: one TOML file in its folder, overridden by environment variables.
export { ConfigError } from './kinds.ts'
export {
  configWith,
  type Difference,
  differencesOf,
  type Origin,
  type ReadConfig,
  readConfig
} from './read.ts'
export {
  ALL_SETTINGS,
  DEFAULT_CONFIG,
  isOpen,
  type RelayConfig,
  type RelayLimits,
  settingValue
} from './settings.ts'
export { configSchema, writeConfig } from './write.ts'
