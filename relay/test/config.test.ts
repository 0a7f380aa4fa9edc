// The settings: every one has a default, file and environment override it, and what is wrong is said by name.
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import {
  ALL_SETTINGS,
  ConfigError,
  configSchema,
  configWith,
  DEFAULT_CONFIG,
  differencesOf,
  isOpen,
  readConfig,
  writeConfig
} from '../src/config/index.ts'

const read = (text: string, env = {}) => readConfig(text, env).config

describe('settings', () => {
  it('may be left out', () => {
    expect(read('')).toEqual(DEFAULT_CONFIG)
  })

  it('that are written are read again, defaults as comments', () => {
    const text = writeConfig(DEFAULT_CONFIG)
    expect(parse(text)).toEqual({ limits: {} })
    const changed = configWith({
      announce: ['/dns4/relay.example/tcp/4001'],
      http: '127.0.0.1:4080',
      'limits.boxBytesMax': 2_000_000
    })
    expect(read(writeConfig(changed))).toEqual(changed)
  })

  it('stand in the file with every default being valid', () => {
    // What stands behind "#" is taken as it stands there.
    const lines = writeConfig(DEFAULT_CONFIG).split('\n')
    const inForce = lines.map((line) => line.replace(/^# (\w+ = )/, '$1')).join('\n')
    expect(read(inForce)).toEqual(DEFAULT_CONFIG)
    expect([...readConfig(inForce).origins.values()].every((origin) => origin === 'file')).toBe(
      true
    )
  })

  it('change one limit and keep the others', () => {
    const { limits } = read('[limits]\naccountsMax = 7')
    expect(limits).toEqual({ ...DEFAULT_CONFIG.limits, accountsMax: 7 })
  })

  it('of the environment win over the file, the file over defaults', () => {
    const { config, origins } = readConfig('registration = "open"\ninviteUses = 3', {
      KITH_RELAY_REGISTRATION: 'closed',
      KITH_RELAY_LIMITS_ACCOUNTS_MAX: '5_000',
      KITH_RELAY_LISTEN: '/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2/ws',
      KITH_RELAY_HOME: '/anywhere',
      PATH: '/bin'
    })
    expect(config).toMatchObject({
      registration: 'closed',
      inviteUses: 3,
      listen: ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2/ws'],
      limits: { accountsMax: 5_000 }
    })
    expect([origins.get('registration'), origins.get('inviteUses'), origins.get('http')]).toEqual([
      'environment',
      'file',
      'default'
    ])
  })

  it.each([
    [{ KITH_RELAY_REGISTRATON: 'open' }, 'Did you mean KITH_RELAY_REGISTRATION?'],
    [{ KITH_RELAY_LIMITS_ACCOUNTS_MAX: 'many' }, '"KITH_RELAY_LIMITS_ACCOUNTS_MAX" must be'],
    [{ KITH_RELAY_LIMITS_ACCOUNTS_MAX: '' }, '"KITH_RELAY_LIMITS_ACCOUNTS_MAX" must be']
  ])('of the environment that are wrong are refused: %j', (env, reason) => {
    expect(() => read('', env)).toThrow(ConfigError)
    expect(() => read('', env)).toThrow(reason)
  })

  it.each([
    ['/ip4/0.0.0.0/tcp/4001'],
    ['/ip6/::/tcp/0'],
    ['/dns4/relay.example/tcp/443/tls/ws'],
    ['/dns/relay.example/tcp/443/wss']
  ])('take the address %s', (address) => {
    expect(read(`listen = [${JSON.stringify(address)}]`).listen).toEqual([address])
  })

  it.each([
    ['a', 'cannot be read, line 1'],
    ['http = ""\nlisten = [', 'cannot be read, line 2'],
    ['http = ""\nhttp = ""', 'cannot be read, line 2'],
    ['registrations = "open"', 'Did you mean "registration"?'],
    ['[limits]\nboxesBytesMax = 1', '"limits.boxesBytesMax". Did you mean "limits.boxBytesMax"?'],
    ['limits = 1', '"limits" must be a section'],
    ['[listen]\na = 1', '"listen" must be a list'],
    ['registration = "some"', '"registration" must be one of: auto, invite, open, closed.'],
    ['listen = []', '"listen" must be a list of 1 to 8'],
    ['listen = "/ip4/0.0.0.0/tcp/1"', '"listen" must be a list'],
    ['listen = ["localhost:4001"]', '"localhost:4001", which is no address'],
    ['listen = ["/ip4/0.0.0.0/tcp/65536"]', 'is no address'],
    ['listen = ["/ip4/0.0.0.0/udp/1"]', 'is no address'],
    ['inviteUses = 1.5', '"inviteUses" must be a whole number from 0'],
    ['inviteUses = "3"', '"inviteUses" must be a whole number from 0'],
    ['[limits]\naccountsMax = 0', '"limits.accountsMax" must be a whole number from 1'],
    ['http = "4080"', '"http" must be a host and a port'],
    ['http = "127.0.0.1:99999"', '"http" must be a host and a port'],
    ['__proto__ = 1', 'Unknown setting "__proto__"'],
    [`listen = ["${'x'.repeat(70_000)}"]`, 'too long']
  ])('that read %s are refused', (text, reason) => {
    expect(() => read(text)).toThrow(ConfigError)
    expect(() => read(text)).toThrow(reason)
  })

  it('say what differs, and what only a restart brings about', () => {
    const after = configWith({
      registration: 'closed',
      http: '127.0.0.1:1',
      'limits.accountsMax': 9
    })
    expect(differencesOf(DEFAULT_CONFIG, after)).toEqual([
      { key: 'registration', before: 'auto', after: 'closed', needsRestart: false },
      { key: 'http', before: '', after: '127.0.0.1:1', needsRestart: true },
      { key: 'limits.accountsMax', before: 100_000, after: 9, needsRestart: false }
    ])
  })

  it.each([
    ['auto', ['/ip4/127.0.0.1/tcp/1', '/ip6/::1/tcp/1'], true],
    ['auto', ['/ip4/127.0.0.1/tcp/1', '/ip4/0.0.0.0/tcp/2'], false],
    ['auto', ['/dns4/localhost/tcp/1'], false],
    ['open', ['/ip4/0.0.0.0/tcp/2'], true],
    ['closed', ['/ip4/127.0.0.1/tcp/1'], false],
    ['invite', ['/ip4/127.0.0.1/tcp/1'], false]
  ] as const)('with registration %s and %j let everybody in: %s', (registration, listen, open) => {
    expect(isOpen({ registration, listen })).toBe(open)
  })

  it('are all in the schema, with a description', () => {
    const { properties } = configSchema() as {
      properties: Record<string, { description?: string; properties?: object }>
    }
    const { limits, ...top } = properties
    const names = [...Object.keys(top), ...Object.keys(limits?.properties ?? {})]
    expect(names).toEqual(ALL_SETTINGS.map(({ name }) => name))
    for (const one of Object.values(top)) expect(one.description).toMatch(/\w/)
  })
})
