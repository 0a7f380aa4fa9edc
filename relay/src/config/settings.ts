// Every setting of the relay, once: kind, default, and what it is for. The checks, the commented file, the JSON
// schema, the names of environment variables and the table in README.md all follow from these two tables.
import { MIB } from '@kith/protocols'
import {
  BOX_BYTES_MAX,
  BOX_ENTRIES_MAX,
  EACH_STRANGER_BYTES_MAX,
  EACH_STRANGER_ENTRIES_MAX,
  STRANGER_BYTES_MAX,
  STRANGER_ENTRIES_MAX
} from '../box/constants.ts'
import { addresses, hostAndPort, oneOf, type Setting, wholeNumber } from './kinds.ts'

export interface RelayLimits {
  readonly accountsMax: number
  readonly boxEntriesMax: number
  readonly boxBytesMax: number
  readonly strangerEntriesMax: number
  readonly strangerBytesMax: number
  readonly eachStrangerEntriesMax: number
  readonly eachStrangerBytesMax: number
  readonly accountAppendsPerSecond: number
  readonly accountPlacementsPerSecond: number
  readonly registrationsPerHostAndMinute: number
}

export interface RelayConfig {
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs told to others instead of those listened on; empty: those listened on. */
  readonly announce: readonly string[]
  readonly registration: 'auto' | 'invite' | 'open' | 'closed'
  /** How many accounts the invite made by `init` lets in. */
  readonly inviteUses: number
  /** Host and port of `/health` and `/metrics`; empty: not served. */
  readonly http: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** Bytes of free disk below which nothing more is taken. */
  readonly freeBytesMin: number
  /** Seconds that running requests get when the relay is told to stop. */
  readonly drainSeconds: number
  readonly limits: RelayLimits
}

type Settings<T> = { readonly [Key in keyof T]: Setting<T[Key]> }

const INVITE_USES_MAX = 1_000_000

export const LIMITS: Settings<RelayLimits> = {
  accountsMax: {
    kind: wholeNumber(1, 1_000_000),
    default: 100_000,
    about: 'Accounts hosted here. Each costs about 500 bytes of memory.',
    isReloadable: true
  },
  boxEntriesMax: {
    kind: wholeNumber(1, 100_000_000),
    default: BOX_ENTRIES_MAX,
    about: 'Entries of one account.',
    isReloadable: true
  },
  boxBytesMax: {
    kind: wholeNumber(MIB, 2 ** 50),
    default: BOX_BYTES_MAX,
    about: 'Bytes of messages of one account.',
    isReloadable: true
  },
  strangerEntriesMax: {
    kind: wholeNumber(0, 1_024),
    default: STRANGER_ENTRIES_MAX,
    about: 'Messages to one account from all strangers, until a device of it acknowledges.',
    isReloadable: true
  },
  strangerBytesMax: {
    kind: wholeNumber(0, 2 ** 30),
    default: STRANGER_BYTES_MAX,
    about: 'The same in bytes.',
    isReloadable: true
  },
  eachStrangerEntriesMax: {
    kind: wholeNumber(0, 1_024),
    default: EACH_STRANGER_ENTRIES_MAX,
    about: 'Of these, from one stranger.',
    isReloadable: true
  },
  eachStrangerBytesMax: {
    kind: wholeNumber(0, 2 ** 30),
    default: EACH_STRANGER_BYTES_MAX,
    about: 'The same in bytes.',
    isReloadable: true
  },
  accountAppendsPerSecond: {
    kind: wholeNumber(1, 1_000_000),
    // As much as one device may by the protocol: more devices do not make an account louder.
    default: 2_000,
    about: 'Messages of one account, all its devices together. Ten seconds of it may come at once.',
    isReloadable: false
  },
  accountPlacementsPerSecond: {
    kind: wholeNumber(1, 10_000_000),
    // A message to a group of 200 fifty times a second; one group commit holds 8,192.
    default: 10_000,
    about: 'The same, times the boxes that each message goes into.',
    isReloadable: false
  },
  registrationsPerHostAndMinute: {
    kind: wholeNumber(1, 1_000_000),
    // 0.17 a second with 3 at once: a school class through one address takes a few minutes.
    default: 10,
    about: 'Accounts made from one IPv4 address or IPv6 /64. Three may come at once.',
    isReloadable: false
  }
}

export const SETTINGS: Settings<Omit<RelayConfig, 'limits'>> = {
  listen: {
    kind: addresses(1),
    // Not a privileged port, and the one libp2p documentation uses; browsers need the second.
    default: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws'],
    about: 'Addresses to listen on, 1 to 8. Port 0 takes a free one at each start.',
    isReloadable: false
  },
  announce: {
    kind: addresses(0),
    default: [],
    about:
      'Addresses told to others instead of those listened on: behind a router, or with a name, like\n' +
      '"/dns4/relay.example/tcp/4001".',
    isReloadable: false
  },
  registration: {
    kind: oneOf('auto', 'invite', 'open', 'closed'),
    default: 'auto',
    about:
      'Who may make an account: whoever has an invite ("invite"), everybody ("open") or nobody ("closed").\n' +
      '"auto" is "open" when the relay listens on loopback alone, and "invite" otherwise.',
    isReloadable: true
  },
  inviteUses: {
    kind: wholeNumber(0, INVITE_USES_MAX),
    // A household or a club; an operator who wants more makes more, or opens registration.
    default: 100,
    about: 'How many accounts the invite made by "kith-relay init" lets in. Read by init only.',
    isReloadable: false
  },
  http: {
    kind: hostAndPort,
    default: '',
    about:
      'Where /health and /metrics are served over HTTP, like "127.0.0.1:4080". They name no account; still\n' +
      'keep them to your own machine or network. "" serves neither.',
    isReloadable: false
  },
  logLevel: {
    kind: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    about: 'Least level written to standard error. No level shows contents; "debug" may show ids.',
    isReloadable: true
  },
  freeBytesMin: {
    kind: wholeNumber(0, 2 ** 50),
    // LevelDB needs room for compaction: a few of its tables of 2 MiB at once, and as much again as its log.
    default: 256 * MIB,
    about:
      'Free bytes on the disk of the store below which nothing new is taken; what is there is served on.\n' +
      '0 never stops.',
    isReloadable: true
  },
  drainSeconds: {
    kind: wholeNumber(0, 600),
    default: 10,
    about: 'How long requests that are being carried out may take when the relay is told to stop.',
    isReloadable: true
  }
}

function defaultsOf<T>(settings: Settings<T>): T {
  const entries = Object.entries<Setting<unknown>>(settings)
  return Object.fromEntries(entries.map(([name, setting]) => [name, setting.default])) as T
}

export const DEFAULT_CONFIG: RelayConfig = {
  ...defaultsOf(SETTINGS),
  limits: defaultsOf(LIMITS)
}

export interface NamedSetting extends Setting<unknown> {
  /** As errors and tables name it: `limits.accountsMax`. */
  readonly key: string
  readonly section: '' | 'limits'
  readonly name: string
  /** `KITH_RELAY_LIMITS_ACCOUNTS_MAX` */
  readonly variable: string
}

/** All of them, in the order of the file. */
export const ALL_SETTINGS: readonly NamedSetting[] = [
  ...named('', SETTINGS),
  ...named('limits', LIMITS)
]

function named<T>(section: NamedSetting['section'], settings: Settings<T>): NamedSetting[] {
  return Object.entries<Setting<unknown>>(settings).map(([name, setting]) => {
    const key = section === '' ? name : `${section}.${name}`
    const words = key.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`)
    return { ...setting, key, section, name, variable: `KITH_RELAY_${words.toUpperCase()}` }
  })
}

/** The value of a setting in a configuration. */
export function settingValue(config: RelayConfig, { section, name }: NamedSetting): unknown {
  const holder = section === '' ? config : config[section]
  return (holder as unknown as Record<string, unknown>)[name]
}

/** Whether accounts are made here without an invite. */
export function isOpen({ registration, listen }: Pick<RelayConfig, 'registration' | 'listen'>) {
  if (registration !== 'auto') return registration === 'open'
  return listen.every((address) => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address))
}
