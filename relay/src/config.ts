// The relay's settings: one JSON object, each key with a valid default, checked with errors that name the key.
import { MIB } from '@kith/protocols'
import {
  BOX_BYTES_MAX,
  BOX_ENTRIES_MAX,
  EACH_STRANGER_BYTES_MAX,
  EACH_STRANGER_ENTRIES_MAX,
  STRANGER_BYTES_MAX,
  STRANGER_ENTRIES_MAX
} from './box/constants.ts'

export interface RelayLimits {
  /** Accounts hosted; each costs about 500 bytes of memory. */
  readonly accountsMax: number
  readonly boxEntriesMax: number
  readonly boxBytesMax: number
  readonly strangerEntriesMax: number
  readonly strangerBytesMax: number
  readonly eachStrangerEntriesMax: number
  readonly eachStrangerBytesMax: number
  /** Envelopes and slots of one account, all its devices together; ten seconds' worth may come at once. */
  readonly accountAppendsPerSecond: number
  /** The same, times the boxes that each goes into. */
  readonly accountPlacementsPerSecond: number
  /** Accounts made from one IPv4 address or IPv6 /64. */
  readonly registrationsPerHostAndMinute: number
}

export interface RelayConfig {
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs told to others instead of those listened on; empty: those listened on. */
  readonly announce: readonly string[]
  readonly registration: 'invite' | 'open'
  /** How many accounts the invite made by `init` lets in. */
  readonly inviteUses: number
  readonly limits: RelayLimits
}

/** What the user can correct: which key, what is wrong, what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export const DEFAULT_CONFIG: RelayConfig = {
  // Not a privileged port, and the one libp2p documentation uses; browsers need the second.
  listen: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws'],
  announce: [],
  registration: 'invite',
  // A household or a club; an operator who wants more raises it or opens registration.
  inviteUses: 100,
  limits: {
    accountsMax: 100_000,
    boxEntriesMax: BOX_ENTRIES_MAX,
    boxBytesMax: BOX_BYTES_MAX,
    strangerEntriesMax: STRANGER_ENTRIES_MAX,
    strangerBytesMax: STRANGER_BYTES_MAX,
    eachStrangerEntriesMax: EACH_STRANGER_ENTRIES_MAX,
    eachStrangerBytesMax: EACH_STRANGER_BYTES_MAX,
    // As much as one device may by the protocol: more devices do not make an account louder.
    accountAppendsPerSecond: 2_000,
    // A message to a group of 200 fifty times a second; one group commit holds 8,192.
    accountPlacementsPerSecond: 10_000,
    // 0.17 a second with 3 at once: a school class through one address takes a few minutes.
    registrationsPerHostAndMinute: 10
  }
}

/** Largest settings file that is read. */
export const CONFIG_BYTES_MAX = MIB / 16
const ADDRESSES_MAX = 8
const INVITE_USES_MAX = 1_000_000

type Check<T> = (value: unknown, path: string) => T

const CHECKS: { readonly [Key in keyof RelayConfig]: Check<RelayConfig[Key]> } = {
  listen: (value, path) => addresses(value, path, 1),
  announce: (value, path) => addresses(value, path, 0),
  registration: oneOf('invite', 'open'),
  inviteUses: wholeNumber(0, INVITE_USES_MAX),
  limits: (value, path) => section(value, path, LIMIT_CHECKS, DEFAULT_CONFIG.limits)
}

const LIMIT_CHECKS: { readonly [Key in keyof RelayLimits]: Check<number> } = {
  accountsMax: wholeNumber(1, 1_000_000),
  boxEntriesMax: wholeNumber(1, 100_000_000),
  boxBytesMax: wholeNumber(MIB, 2 ** 50),
  strangerEntriesMax: wholeNumber(0, 1_024),
  strangerBytesMax: wholeNumber(0, 2 ** 30),
  eachStrangerEntriesMax: wholeNumber(0, 1_024),
  eachStrangerBytesMax: wholeNumber(0, 2 ** 30),
  accountAppendsPerSecond: wholeNumber(1, 1_000_000),
  accountPlacementsPerSecond: wholeNumber(1, 10_000_000),
  registrationsPerHostAndMinute: wholeNumber(1, 1_000_000)
}

/** The settings with defaults filled in. Throws ConfigError. */
export function readConfig(value: unknown): RelayConfig {
  return section(value, '', CHECKS, DEFAULT_CONFIG)
}

/** As `readConfig`, from the text of a file. Throws ConfigError. */
export function parseConfig(text: string): RelayConfig {
  if (text.length > CONFIG_BYTES_MAX) throw new ConfigError('The settings are too long.')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`The settings are not JSON: ${(cause as Error).message}`, { cause })
  }
  return readConfig(value)
}

function section<T extends object>(
  value: unknown,
  path: string,
  checks: { readonly [Key in keyof T]: Check<T[Key]> },
  defaults: T
): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${path === '' ? 'The settings' : `"${path}"`} must be an object.`)
  }
  const known = Object.keys(checks)
  const result: { [name: string]: unknown } = { ...(defaults as object) }
  for (const [name, given] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`
    const check = known.includes(name) ? checks[name as keyof T] : undefined
    if (check === undefined) {
      throw new ConfigError(`Unknown setting "${at}". Did you mean "${nearest(name, known)}"?`)
    }
    result[name] = check(given, at)
  }
  return result as T
}

function addresses(value: unknown, path: string, least: number): readonly string[] {
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string')
  if (!isList || value.length < least || value.length > ADDRESSES_MAX) {
    throw new ConfigError(`"${path}" must be a list of ${least} to ${ADDRESSES_MAX} addresses.`)
  }
  const wrong = (value as string[]).find((address) => !isMultiaddr(address))
  if (wrong !== undefined) {
    throw new ConfigError(
      `"${path}" holds ${JSON.stringify(wrong)}, which is no address. ` +
        'Write it like "/ip4/0.0.0.0/tcp/4001" or "/dns4/relay.example/tcp/4002/ws".'
    )
  }
  return value as string[]
}

/** The forms a relay can listen on or be reached at; the network layer parses them in full. */
function isMultiaddr(address: string): boolean {
  const match =
    /^\/(ip4|ip6|dns|dns4|dns6)\/([^/\s]{1,253})\/tcp\/(\d{1,5})(\/tls)?(\/wss?)?$/.exec(address)
  return match !== null && Number(match[3]) <= 65_535
}

function oneOf<const T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, path) => {
    if (allowed.includes(value as T)) return value as T
    throw new ConfigError(`"${path}" must be one of: ${allowed.join(', ')}.`)
  }
}

function wholeNumber(least: number, most: number): Check<number> {
  return (value, path) => {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number
    }
    throw new ConfigError(`"${path}" must be a whole number from ${least} to ${most}.`)
  }
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
