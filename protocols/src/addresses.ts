// Network addresses in text form (multiaddrs) as they stand in account logs and links: bounded and printable,
// without the peer id behind them, which is kept beside them.
import { ProtocolError } from './errors.ts'

/** A home relay per failure domain; more only multiplies the cost of every message. */
export const HOMES_MAX = 3
/** TCP, WebSocket and TLS over IPv4, IPv6 and a name leave room for two more. */
export const ADDRESSES_MAX = 8
/** The longest DNS name (253 bytes) is the only thing that comes near. */
export const ADDRESS_BYTES_MAX = 256

/** A slash, then printable ASCII without spaces or the characters that links and shells give a meaning. */
const ADDRESS = /^\/[A-Za-z0-9/._:~%-]+$/

/** Returns the address; throws ProtocolError `malformed` for text that is too long or no multiaddr by form. */
export function requireAddress(address: string): string {
  if (address.length > ADDRESS_BYTES_MAX || !ADDRESS.test(address)) {
    throw new ProtocolError('malformed', 'not a network address')
  }
  return address
}

/** Returns the addresses; throws `malformed` unless there are 1 to 8 of them, each well-formed. */
export function requireAddresses(addresses: readonly string[]): readonly string[] {
  if (addresses.length === 0 || addresses.length > ADDRESSES_MAX) {
    throw new ProtocolError('malformed', `a relay has 1 to ${ADDRESSES_MAX} addresses`)
  }
  for (const address of addresses) {
    requireAddress(address)
  }
  return addresses
}
