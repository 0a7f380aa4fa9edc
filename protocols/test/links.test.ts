// Links: what is formatted is parsed, and text from anywhere is refused with a reason or understood.
import {
  type AccountId,
  accountIdOf,
  type ContactLink,
  deviceIdOf,
  formatContactLink,
  formatJoinLink,
  LINK_BYTES_MAX,
  NAME_BYTES_MAX,
  ProtocolError,
  parseContactLink,
  parseJoinLink,
  type RelayId,
  relayIdOf
} from '@kith/protocols'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const SEED = 20_261_121
const ACCOUNT = accountIdOf(new Uint8Array(32).fill(1))
const relay = (number: number): RelayId => relayIdOf(new Uint8Array(32).fill(number))
const TCP = '/ip4/127.0.0.1/tcp/4001'
const LINK: ContactLink = {
  account: ACCOUNT,
  name: 'alice',
  relays: [{ relay: relay(1), addresses: [TCP] }]
}

const arbitraryId = fc.uint8Array({ minLength: 32, maxLength: 32 })
const arbitraryAddress = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat({ max: 65_535 })).map(([ip, port]) => `/ip4/${ip}/tcp/${port}/ws`),
  fc.nat({ max: 65_535 }).map((port) => `/ip6/::1/tcp/${port}`),
  fc.constant('/dns4/relay.example/tcp/443/tls/ws/http-path/a%2Fb')
)
const arbitraryName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((name) => {
    const bytes = new TextEncoder().encode(name).byteLength
    return name.trim() !== '' && bytes <= NAME_BYTES_MAX && !/[\p{Cc}\u2028\u2029]/u.test(name)
  })
const arbitraryRelays = fc
  .uniqueArray(arbitraryId, { minLength: 1, maxLength: 3, selector: (bytes) => bytes.join() })
  .chain((keys) =>
    fc.tuple(
      ...keys.map((key) =>
        fc.record({
          relay: fc.constant(relayIdOf(key)),
          addresses: fc.array(arbitraryAddress, { minLength: 1, maxLength: 3 })
        })
      )
    )
  )

function expectMalformed(work: () => unknown, about: string): void {
  expect(work, about).toThrowError(
    expect.objectContaining({ name: 'ProtocolError', code: 'malformed' })
  )
}

describe('contact links', () => {
  test('look as the documentation shows', () => {
    expect(formatContactLink(LINK)).toBe(
      `kith:contact/${ACCOUNT}?name=alice&relay=${TCP}/p2p/${relay(1)}`
    )
  })

  test('come back as they were, whatever the name and addresses', () => {
    fc.assert(
      fc.property(arbitraryId, arbitraryName, arbitraryRelays, (id, name, relays) => {
        const link = { account: accountIdOf(id), name, relays }
        const text = formatContactLink(link)
        expect(text).toMatch(/^[\x21-\x7e]+$/)
        expect(parseContactLink(text)).toEqual(link)
      }),
      { seed: SEED, numRuns: 200 }
    )
  })

  test('carry the peer id once, wherever it was written', () => {
    const addresses = [`${TCP}/p2p/${relay(1)}`]
    const text = formatContactLink({ ...LINK, relays: [{ relay: relay(1), addresses }] })
    expect(parseContactLink(text)).toEqual(LINK)
  })

  test('may say where devices can be reached directly', () => {
    const device = deviceIdOf(new Uint8Array(32).fill(9))
    const link = { ...LINK, devices: [{ device, addresses: [TCP] }] }
    expect(formatContactLink(link)).toContain(`&device=${TCP}/p2p/${device}`)
    expect(parseContactLink(formatContactLink(link))).toEqual(link)
    const nine = Array.from({ length: 9 }, (_, index) => ({
      device: deviceIdOf(new Uint8Array(32).fill(index)),
      addresses: ['/ip4/192.0.2.7/tcp/1']
    }))
    expectMalformed(() => formatContactLink({ ...LINK, devices: nine }), 'nine')
  })

  test('may stand in a line of text with white space around them', () => {
    expect(parseContactLink(` ${formatContactLink(LINK)}\n`)).toEqual(LINK)
  })

  test('of later versions may have fields that are not known yet', () => {
    expect(parseContactLink(`${formatContactLink(LINK)}&color=red&color=blue`)).toEqual(LINK)
  })

  test('are refused with names nobody should see', () => {
    for (const name of [
      '',
      ' ',
      'a\u0000b',
      'a\nb',
      '\u001b[31m',
      '\u2028',
      '\ud800',
      'ä'.repeat(33)
    ]) {
      expectMalformed(() => formatContactLink({ ...LINK, name }), JSON.stringify(name))
    }
  })

  test('are refused without relays, with four, or without addresses', () => {
    const four = [1, 2, 3, 4].map((number) => ({ relay: relay(number), addresses: [TCP] }))
    expectMalformed(() => formatContactLink({ ...LINK, relays: [] }), 'none')
    expectMalformed(() => formatContactLink({ ...LINK, relays: four }), 'four')
    const empty = [{ relay: relay(1), addresses: [] }]
    expectMalformed(() => formatContactLink({ ...LINK, relays: empty }), 'no address')
  })

  test('are refused when they would be too long', () => {
    const addresses = Array.from({ length: 8 }, () => `/dns4/${'a'.repeat(200)}/tcp/1`)
    const relays = [1, 2].map((number) => ({ relay: relay(number), addresses }))
    expectMalformed(() => formatContactLink({ ...LINK, relays }), 'long')
    expectMalformed(() => parseContactLink('k'.repeat(LINK_BYTES_MAX + 1)), 'long')
  })
})

describe('join links', () => {
  const JOIN = { relay: relay(1), addresses: [TCP, '/ip4/127.0.0.1/tcp/4002/ws'], invite: 'aB3-_x' }

  test('look as the documentation shows, and come back', () => {
    const text = formatJoinLink(JOIN)
    expect(text).toBe(
      `kith:join/${relay(1)}?address=${TCP}&address=/ip4/127.0.0.1/tcp/4002/ws&invite=aB3-_x`
    )
    expect(parseJoinLink(text)).toEqual(JOIN)
  })

  test('have no invite where the relay takes everybody', () => {
    const open = { ...JOIN, invite: '' }
    expect(formatJoinLink(open)).not.toContain('invite')
    expect(parseJoinLink(formatJoinLink(open))).toEqual(open)
  })

  test('are refused with an invite of strange characters or 129 of them', () => {
    for (const invite of ['a b', 'ä', 'a&b', '\u001b', 'a'.repeat(129)]) {
      expectMalformed(() => formatJoinLink({ ...JOIN, invite }), JSON.stringify(invite))
    }
  })
})

test('text of any kind is parsed or refused as malformed, with a reason in plain ASCII', () => {
  const valid = [formatContactLink(LINK), `kith:join/${relay(1)}?address=${TCP}&invite=x`]
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('%', '%ff', '&name=', '&relay=', '/p2p/', '?', '=', '&invite=', 'kith:')
  )
  const damaged = fc
    .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat({ max: 20 }), piece)
    .map(([text, where, remove, insert]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + insert + text.slice(at + remove)
    })
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), damaged), (text) => {
      for (const parse of [parseContactLink, parseJoinLink]) {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          expect((error as ProtocolError).code).toBe('malformed')
          expect((error as ProtocolError).detail).toMatch(/^[\x20-\x7e]+$/)
        }
      }
    }),
    { seed: SEED, numRuns: 5_000 }
  )
})

test('an account id that is not one is refused', () => {
  const link = { ...LINK, account: 'nobody' as AccountId }
  expectMalformed(() => parseContactLink(formatContactLink(link)), 'account')
})
