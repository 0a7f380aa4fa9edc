// The settings file: every key has a default, and what is wrong is said by name.
import { describe, expect, it } from 'vitest'
import { ConfigError, DEFAULT_CONFIG, parseConfig } from '../src/config.ts'

describe('settings', () => {
  it('may be left out', () => {
    expect(parseConfig('{}')).toEqual(DEFAULT_CONFIG)
    expect(parseConfig(JSON.stringify(DEFAULT_CONFIG))).toEqual(DEFAULT_CONFIG)
  })

  it('change one limit and keep the others', () => {
    const { limits } = parseConfig('{ "limits": { "accountsMax": 7 } }')
    expect(limits).toEqual({ ...DEFAULT_CONFIG.limits, accountsMax: 7 })
  })

  it.each([
    ['/ip4/0.0.0.0/tcp/4001'],
    ['/ip6/::/tcp/0'],
    ['/dns4/relay.example/tcp/443/tls/ws'],
    ['/dns/relay.example/tcp/443/wss']
  ])('take the address %s', (address) => {
    expect(parseConfig(JSON.stringify({ listen: [address] })).listen).toEqual([address])
  })

  it.each([
    ['[]', 'must be an object'],
    ['null', 'must be an object'],
    ['{"a', 'not JSON'],
    ['{"registrations":"open"}', 'Did you mean "registration"?'],
    ['{"limits":{"boxesBytesMax":1}}', '"limits.boxesBytesMax". Did you mean "boxBytesMax"?'],
    ['{"registration":"some"}', '"registration" must be one of: invite, open.'],
    ['{"listen":[]}', '"listen" must be a list of 1 to 8'],
    ['{"listen":"/ip4/0.0.0.0/tcp/1"}', '"listen" must be a list'],
    ['{"listen":["localhost:4001"]}', '"localhost:4001", which is no address'],
    ['{"listen":["/ip4/0.0.0.0/tcp/65536"]}', 'is no address'],
    ['{"listen":["/ip4/0.0.0.0/udp/1"]}', 'is no address'],
    ['{"inviteUses":1.5}', '"inviteUses" must be a whole number from 0'],
    ['{"limits":{"accountsMax":0}}', '"limits.accountsMax" must be a whole number from 1'],
    ['{"__proto__":{}}', 'Unknown setting "__proto__"'],
    [`{"listen":["${'x'.repeat(70_000)}"]}`, 'too long']
  ])('that read %s are refused', (text, reason) => {
    expect(() => parseConfig(text)).toThrow(ConfigError)
    expect(() => parseConfig(text)).toThrow(reason)
  })
})
