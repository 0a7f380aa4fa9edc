// The settings as an operator reads them: the commented file that `init` writes, and the JSON schema for editors.
import { ALL_SETTINGS, type NamedSetting, type RelayConfig, settingValue } from './settings.ts'

const HEAD = `# Settings of a Kith relay. Every line may be left out: what stands behind "#" is the default.
# An environment variable wins over this file; its name stands above each setting.
# "kith-relay config check" says what is wrong; SIGHUP takes changes of the settings marked "reload".
`

/** The file, with every setting that differs from its default in force and the others as comments. */
export function writeConfig(config: RelayConfig): string {
  const blocks = ALL_SETTINGS.map((setting, index) => {
    const isFirst = setting.section !== ALL_SETTINGS[index - 1]?.section && setting.section !== ''
    const head = isFirst ? `\n[${setting.section}]\n` : ''
    return `${head}\n${blockOf(setting, settingValue(config, setting))}`
  })
  return `${HEAD}${blocks.join('')}`
}

function blockOf(setting: NamedSetting, value: unknown): string {
  const { about, name, variable, isReloadable } = setting
  const comments = about.split('\n').map((line) => `# ${line}\n`)
  const note = `# ${variable}${isReloadable ? ', reload' : ''}\n`
  const isDefault = JSON.stringify(value) === JSON.stringify(setting.default)
  return `${comments.join('')}${note}${isDefault ? '# ' : ''}${name} = ${tomlOf(value)}\n`
}

/** JSON's strings, whole numbers and lists are TOML's as well. */
function tomlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlOf).join(', ')}]`
  return JSON.stringify(value)
}

/** JSON Schema (draft 2020-12) of the file. */
export function configSchema(): object {
  const propertiesOf = (section: NamedSetting['section']) =>
    Object.fromEntries(
      ALL_SETTINGS.filter((setting) => setting.section === section).map((setting) => [
        setting.name,
        {
          ...setting.kind.schema,
          default: setting.default,
          description: setting.about.replaceAll('\n', ' ')
        }
      ])
    )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of a Kith relay',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...propertiesOf(''),
      limits: { type: 'object', additionalProperties: false, properties: propertiesOf('limits') }
    }
  }
}
