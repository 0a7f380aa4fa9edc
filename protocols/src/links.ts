// Links that people hand to each other: a contact link names an account and where to find it, a join link names
// a relay and carries its invitation. Nothing in a link is trusted before it was parsed here, and a name in one
// is only what somebody calls himself.
import { HOMES_MAX, requireAddresses } from './addresses.ts'
import { ProtocolError } from './errors.ts'
import {
  type AccountId,
  type DeviceId,
  parseAccountId,
  parseDeviceId,
  parseRelayId,
  type RelayId
} from './identifiers.ts'
import { KIB } from './units.ts'

/** Fits a QR code of level L (2,953 bytes) and one line of any terminal's paste buffer. */
export const LINK_BYTES_MAX = 2 * KIB
/** Room for a long full name in any script; more would push the addresses out of the link. */
export const NAME_BYTES_MAX = 64
export const INVITE_BYTES_MAX = 128
/** As many as a person may have at hand; a link with more would not be passed on by hand anyway. */
export const LINK_DEVICES_MAX = 8

const CONTACT = 'kith:contact/'
const JOIN = 'kith:join/'
const PEER = '/p2p/'
const INVITE = /^[A-Za-z0-9._~-]+$/
/** Control characters and line separators; what else a terminal must not see is the sanitizer's to replace. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u

export interface RelayAddress {
  readonly relay: RelayId
  /** 1 to 8 multiaddrs without the relay's own `/p2p/…` behind them. */
  readonly addresses: readonly string[]
}

export interface DeviceAddress {
  readonly device: DeviceId
  /** 1 to 8 multiaddrs without the device's own `/p2p/…` behind them. */
  readonly addresses: readonly string[]
}

export interface ContactLink {
  readonly account: AccountId
  /** 1 to 64 UTF-8 bytes, self-chosen. */
  readonly name: string
  /** 1 to 3 home relays. */
  readonly relays: readonly RelayAddress[]
  /** Up to 8 devices and where they can be reached directly; usually none. */
  readonly devices?: readonly DeviceAddress[]
}

export interface JoinLink extends RelayAddress {
  /** Up to 128 characters of A-Z a-z 0-9 . _ ~ -; empty where the relay takes everybody. */
  readonly invite: string
}

/** `kith:contact/<account>?name=<name>&relay=<multiaddr>/p2p/<relay>&…`. Throws `malformed` beyond the limits. */
export function formatContactLink(link: ContactLink): string {
  requireRelays(link.relays)
  const relays = link.relays.flatMap(({ relay, addresses }) =>
    addresses.map((address) => field('relay', withPeer(address, relay)))
  )
  const direct = link.devices ?? []
  requireDevices(direct)
  const devices = direct.flatMap(({ device, addresses }) =>
    addresses.map((address) => field('device', withPeer(address, device)))
  )
  const fields = [field('name', requireName(link.name)), ...relays, ...devices]
  return requireLength(`${CONTACT}${link.account}?${fields.join('&')}`)
}

/** Opposite of `formatContactLink`; unknown fields are ignored. Throws ProtocolError `malformed` and says why. */
export function parseContactLink(text: string): ContactLink {
  const { subject, fields } = parse(text, CONTACT)
  const list = byPeer(fields.get('relay') ?? []).map(([peer, addresses]) => ({
    relay: parseRelayId(peer),
    addresses
  }))
  requireRelays(list)
  const devices = byPeer(fields.get('device') ?? []).map(([peer, addresses]) => ({
    device: parseDeviceId(peer),
    addresses
  }))
  requireDevices(devices)
  return {
    account: parseAccountId(subject),
    name: requireName(single(fields, 'name') ?? ''),
    relays: list,
    ...(devices.length === 0 ? {} : { devices })
  }
}

/** `kith:join/<relay>?address=<multiaddr>&…&invite=<token>`. Throws `malformed` beyond the limits. */
export function formatJoinLink(link: JoinLink): string {
  const bare = link.addresses.map((address) => withoutPeer(address, link.relay))
  const fields = requireAddresses(bare).map((address) => field('address', address))
  if (link.invite !== '') {
    fields.push(field('invite', requireInvite(link.invite)))
  }
  return requireLength(`${JOIN}${link.relay}?${fields.join('&')}`)
}

/** Opposite of `formatJoinLink`; unknown fields are ignored. Throws ProtocolError `malformed` and says why. */
export function parseJoinLink(text: string): JoinLink {
  const { subject, fields } = parse(text, JOIN)
  const relay = parseRelayId(subject)
  const bare = (fields.get('address') ?? []).map((address) => withoutPeer(address, relay))
  const invite = single(fields, 'invite')
  return {
    relay,
    addresses: requireAddresses(bare),
    invite: invite === undefined ? '' : requireInvite(invite)
  }
}

/** Returns the name; throws `malformed` unless it is 1 to 64 UTF-8 bytes of printable, well-formed text. */
export function requireName(name: string): string {
  const bytes = new TextEncoder().encode(name).byteLength
  if (bytes === 0 || bytes > NAME_BYTES_MAX || UNPRINTABLE.test(name) || name.trim() === '') {
    throw new ProtocolError('malformed', `a name is 1 to ${NAME_BYTES_MAX} bytes of printable text`)
  }
  return name
}

function requireInvite(invite: string): string {
  if (invite.length > INVITE_BYTES_MAX || !INVITE.test(invite)) {
    throw new ProtocolError('malformed', 'not an invite')
  }
  return invite
}

function requireRelays(relays: readonly RelayAddress[]): void {
  if (relays.length === 0 || relays.length > HOMES_MAX) {
    throw new ProtocolError('malformed', `a contact link names 1 to ${HOMES_MAX} relays`)
  }
  for (const { relay, addresses } of relays) {
    requireAddresses(addresses.map((address) => withoutPeer(address, relay)))
  }
}

function requireDevices(devices: readonly DeviceAddress[]): void {
  if (devices.length > LINK_DEVICES_MAX) {
    throw new ProtocolError('malformed', `a contact link names at most ${LINK_DEVICES_MAX} devices`)
  }
  for (const { device, addresses } of devices) {
    requireAddresses(addresses.map((address) => withoutPeer(address, device)))
  }
}

/** Addresses by the peer at their end, in the order in which the peers first come. */
function byPeer(values: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  const peers = new Map<string, string[]>()
  for (const value of values) {
    const { peer, address } = splitPeer(value)
    peers.set(peer, [...(peers.get(peer) ?? []), address])
  }
  return [...peers]
}

function requireLength(link: string): string {
  if (link.length > LINK_BYTES_MAX) {
    throw new ProtocolError('malformed', `a link has at most ${LINK_BYTES_MAX} characters`)
  }
  return link
}

/** Slash and colon may stand in a query as they are (RFC 3986 §3.4), and multiaddrs are full of them. */
function field(name: string, value: string): string {
  return `${name}=${encodeURIComponent(value).replaceAll('%2F', '/').replaceAll('%3A', ':')}`
}

function withPeer(address: string, peer: RelayId | DeviceId): string {
  return `${withoutPeer(address, peer)}${PEER}${peer}`
}

function withoutPeer(address: string, peer: RelayId | DeviceId): string {
  return address.endsWith(`${PEER}${peer}`)
    ? address.slice(0, -(PEER.length + peer.length))
    : address
}

function splitPeer(value: string): { peer: string; address: string } {
  const at = value.lastIndexOf(PEER)
  if (at < 0) {
    throw new ProtocolError('malformed', 'an address without its peer id')
  }
  return { peer: value.slice(at + PEER.length), address: value.slice(0, at) }
}

function single(fields: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const values = fields.get(name) ?? []
  if (values.length > 1) {
    throw new ProtocolError('malformed', `more than one ${name}`)
  }
  return values[0]
}

function parse(text: string, prefix: string): { subject: string; fields: Map<string, string[]> } {
  const link = requireLength(text).trim()
  if (!link.startsWith(prefix)) {
    throw new ProtocolError('malformed', `not a link that starts with ${prefix}`)
  }
  const [subject = '', query = ''] = splitOnce(link.slice(prefix.length), '?')
  const fields = new Map<string, string[]>()
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = splitOnce(part, '=')
    fields.set(name, [...(fields.get(name) ?? []), decodeText(value)])
  }
  return { subject, fields }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

function decodeText(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new ProtocolError('malformed', 'a link with broken percent-encoding', { cause })
  }
}
