// Where a connection comes from, as far as limits care: the host (one IPv4 address, or the IPv6 /64 that one
// subscriber has) and the network around it (IPv4 /24, IPv6 /48), within which an attacker gets addresses cheaply.

export interface RemoteHost {
  /** `203.0.113.7` or `2001:db8:1:2` */
  readonly host: string
  /** `203.0.113` or `2001:db8:1` */
  readonly network: string
  /**
   * The machine itself: a proxy in front of the relay, through which everybody comes. Limits per host and
   * network do not apply; those over all connections do.
   */
  readonly isOwnMachine: boolean
}

const ELSEWHERE: RemoteHost = { host: 'other', network: 'other', isOwnMachine: false }

const IP6_GROUPS = 8
const HOST_GROUPS = 4
const NETWORK_GROUPS = 3

/** The host of a multiaddr; everything without an IP address counts as one and the same host. */
export function remoteHostOf(address: string): RemoteHost {
  const [, family, value = ''] = address.split('/')
  if (family === 'ip4') return ofIp4(value)
  if (family !== 'ip6') return ELSEWHERE
  const groups = ip6Groups(value)
  // ::ffff:a.b.c.d, as sockets that listen on both families tell it.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return ofIp4([high >> 8, high & 255, low >> 8, low & 255].join('.'))
  }
  const text = groups.map((group) => group.toString(16))
  return {
    host: text.slice(0, HOST_GROUPS).join(':'),
    network: text.slice(0, NETWORK_GROUPS).join(':'),
    isOwnMachine: groups.every((group, index) => group === (index === IP6_GROUPS - 1 ? 1 : 0))
  }
}

function ofIp4(host: string): RemoteHost {
  return {
    host,
    network: host.slice(0, host.lastIndexOf('.')),
    // Not all of 127.0.0.0/8: a proxy uses this one.
    isOwnMachine: host === '127.0.0.1'
  }
}

function ip6Groups(value: string): number[] {
  const [head = '', tail] = withoutDots(value).split('::')
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16) & 0xffff)
  const first = parse(head)
  const last = parse(tail ?? '')
  const missing = Math.max(0, IP6_GROUPS - first.length - last.length)
  return [...first, ...new Array<number>(missing).fill(0), ...last].slice(0, IP6_GROUPS)
}

/** The last 32 bits may be written as an IPv4 address. */
function withoutDots(value: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(value)
  if (match === null) return value
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(2).map(Number)
  return `${match[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
