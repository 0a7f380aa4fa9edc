// The code that a person carries from the old device to the new one: a secret that both derive everything from, and
// the relay where they meet. A check value tells a slip of the finger from a code that is no longer good.
import {
  linking,
  ProtocolError,
  parseRelayId,
  type RelayAddress,
  requireAddresses
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { UserError } from '../api.ts'
import type { Primitives } from '../kernel/primitives.ts'

const PREFIX = 'kith:link/'
const PEER = '/p2p/'
/** Secret and check value fill 32 characters of base32. One slip in four thousand million goes unnoticed. */
const CHECK_BYTES = 4
const CODE = /^kith:link\/([a-z2-7]{32})\?(.{1,2000})$/
const LABEL = new TextEncoder().encode('kith/link/code/1\0')

export interface LinkCode {
  /** 16 bytes */
  readonly secret: Uint8Array
  readonly relay: RelayAddress
}

/** `kith:link/<32 characters>?relay=<multiaddr>/p2p/<relay>&relay=…`. */
export function formatLinkCode({ secret, relay }: LinkCode, primitives: Primitives): string {
  const query = relay.addresses
    .map((address) => `relay=${encodeURI(`${address}${PEER}${relay.relay}`)}`)
    .join('&')
  return `${PREFIX}${toText(concat([secret, checkOf(secret, query, primitives)]), 'base32')}?${query}`
}

/** Opposite of `formatLinkCode`. Throws UserError `malformed-code`. */
export function parseLinkCode(text: string, primitives: Primitives): LinkCode {
  const [, letters = '', query = ''] = CODE.exec(text.trim()) ?? []
  if (letters === '') {
    throw malformed('This is not a link code: it begins with kith:link/ and names a relay.')
  }
  const bytes = fromString(letters, 'base32')
  const secret = bytes.slice(0, linking.LINK_SECRET_BYTES)
  const check = bytes.slice(linking.LINK_SECRET_BYTES)
  if (!primitives.equal(check, checkOf(secret, query, primitives))) {
    throw malformed('The link code is mistyped or incomplete.')
  }
  return { secret, relay: relayOf(query) }
}

function relayOf(query: string): RelayAddress {
  try {
    const found = query.split('&').flatMap((field) => {
      if (!field.startsWith('relay=')) return []
      const value = decodeURI(field.slice('relay='.length))
      const at = value.lastIndexOf(PEER)
      const relay = parseRelayId(value.slice(at + PEER.length))
      return [{ relay, address: value.slice(0, Math.max(0, at)) }]
    })
    const [first] = found
    if (first === undefined) throw new ProtocolError('malformed', 'no relay')
    const addresses = found
      .filter(({ relay }) => relay === first.relay)
      .map(({ address }) => address)
    return { relay: first.relay, addresses: requireAddresses(addresses) }
  } catch (cause) {
    throw malformed('The link code names no relay that can be reached.', cause)
  }
}

function checkOf(secret: Uint8Array, query: string, primitives: Primitives): Uint8Array {
  const text = new TextEncoder().encode(query)
  return primitives.sha256(LABEL, secret, text).slice(0, CHECK_BYTES)
}

function malformed(message: string, cause?: unknown): UserError {
  return new UserError('malformed-code', message, {
    hint: "Copy it whole, in quotes, as the other device shows it: kith device link '<code>'",
    cause
  })
}
