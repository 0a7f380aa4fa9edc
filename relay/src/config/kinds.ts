// What a setting may hold: how a value is checked, what the JSON schema says of it, and how it is read from an
// environment variable.

/** What the operator can correct: which key, what is wrong, what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface Kind<T> {
  /** Throws ConfigError that names the key. */
  check(value: unknown, key: string): T
  /** JSON Schema (draft 2020-12) of the value. */
  readonly schema: Readonly<Record<string, unknown>>
  /** The value that a text stands for; not checked yet. */
  fromText(text: string): unknown
}

export interface Setting<T> {
  readonly kind: Kind<T>
  readonly default: T
  /** One or two lines: what it does, and when to change it. */
  readonly about: string
  /** Takes effect on SIGHUP, without a restart. */
  readonly isReloadable: boolean
}

const ADDRESSES_MAX = 8

/** A whole number within the bounds. */
export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    check(value, key) {
      const number = typeof value === 'bigint' ? Number(value) : value
      if (Number.isSafeInteger(number) && (number as number) >= least && (number as number) <= most)
        return number as number
      throw new ConfigError(`"${key}" must be a whole number from ${least} to ${most}.`)
    },
    schema: { type: 'integer', minimum: least, maximum: most },
    fromText: (text) => (/^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : text)
  }
}

/** One of a few words. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Kind<T> {
  return {
    check(value, key) {
      if (allowed.includes(value as T)) return value as T
      throw new ConfigError(`"${key}" must be one of: ${allowed.join(', ')}.`)
    },
    schema: { enum: [...allowed] },
    fromText: (text) => text
  }
}

/** A host and port like `127.0.0.1:4080` or `[::1]:4080`, or nothing. */
export const hostAndPort: Kind<string> = {
  check(value, key) {
    if (value === '') return ''
    const match = typeof value === 'string' ? HOST_AND_PORT.exec(value) : null
    if (match !== null && Number(match[1]) <= PORT_MAX) return value as string
    throw new ConfigError(
      `"${key}" must be a host and a port like "127.0.0.1:4080", or "" for none.`
    )
  },
  schema: { type: 'string', pattern: '^$|:[0-9]{1,5}$' },
  fromText: (text) => text
}

const HOST_AND_PORT = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/]{1,253}):(\d{1,5})$/
const PORT_MAX = 65_535

/** A list of multiaddrs that a relay can listen on or be reached at. */
export function addresses(least: number): Kind<readonly string[]> {
  return {
    check(value, key) {
      const isList = Array.isArray(value) && value.every((item) => typeof item === 'string')
      if (!isList || value.length < least || value.length > ADDRESSES_MAX) {
        throw new ConfigError(`"${key}" must be a list of ${least} to ${ADDRESSES_MAX} addresses.`)
      }
      const wrong = (value as string[]).find((address) => !isMultiaddr(address))
      if (wrong === undefined) return value as string[]
      throw new ConfigError(
        `"${key}" holds ${JSON.stringify(wrong)}, which is no address. ` +
          'Write it like "/ip4/0.0.0.0/tcp/4001" or "/dns4/relay.example/tcp/4002/ws".'
      )
    },
    schema: {
      type: 'array',
      items: { type: 'string', pattern: '^/(ip4|ip6|dns|dns4|dns6)/' },
      minItems: least,
      maxItems: ADDRESSES_MAX
    },
    fromText: (text) => (text.trim() === '' ? [] : text.split(',').map((one) => one.trim()))
  }
}

/** The forms a relay can listen on or be reached at; the network layer parses them in full. */
function isMultiaddr(address: string): boolean {
  const match =
    /^\/(ip4|ip6|dns|dns4|dns6)\/([^/\s]{1,253})\/tcp\/(\d{1,5})(\/tls)?(\/wss?)?$/.exec(address)
  return match !== null && Number(match[3]) <= PORT_MAX
}
