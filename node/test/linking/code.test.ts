// Link codes: what a person copies, and what is said when it was copied badly.
import { type RelayId, relayIdOf } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { formatLinkCode, parseLinkCode } from '../../src/linking/code.ts'
import { EMOJI } from '../../src/linking/emoji.ts'

const relay: RelayId = relayIdOf(primitives.keyPair(new Uint8Array(32).fill(5)).publicKey)
const secret = new Uint8Array(16).map((_, at) => at * 7)
const addresses = ['/ip4/127.0.0.1/tcp/4001', '/dns4/relay.example/tcp/443/wss']
const code = formatLinkCode({ secret, relay: { relay, addresses } }, primitives)

const read = (text: string) => parseLinkCode(text, primitives)

describe('a link code', () => {
  test('carries secret and relay', () => {
    expect(code).toMatch(/^kith:link\/[a-z2-7]{32}\?relay=\/ip4\//)
    expect(read(`  ${code}\n`)).toEqual({ secret, relay: { relay, addresses } })
  })

  test('is told from a mistyped one, wherever the slip is', () => {
    for (let at = 'kith:link/'.length; at < code.length; at += 1) {
      const other = code[at] === 'a' ? 'b' : 'a'
      const slip = `${code.slice(0, at)}${other}${code.slice(at + 1)}`
      expect(() => read(slip), slip).toThrow(expect.objectContaining({ code: 'malformed-code' }))
    }
  })

  test.each([
    ['', 'nothing'],
    ['kith:contact/abc?relay=x', 'another link'],
    [code.slice(0, -1), 'a part'],
    [code.slice(0, 42), 'no relay'],
    [`${code}&relay=${'x'.repeat(3_000)}`, 'too long a text']
  ])('is told from %j: %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'UserError' }))
  })
})

test('there are 64 emoji, each of one code point, no two alike, no two of one name', () => {
  expect(EMOJI).toHaveLength(64)
  expect(new Set(EMOJI.map(({ symbol }) => symbol)).size).toBe(64)
  expect(new Set(EMOJI.map(({ name }) => name)).size).toBe(64)
  for (const { symbol, name } of EMOJI) {
    expect([...symbol]).toHaveLength(1)
    expect(symbol).toMatch(/^\p{Emoji_Presentation}$/u)
    expect(name).toMatch(/^[a-z]+$/)
  }
})
