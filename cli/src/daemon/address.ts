// Where the daemon listens for HTTP: loopback and nothing else.
import { CommandError } from '../errors.ts'

const PORT_MAX = 65_535

export interface HttpAddress {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** `7788`, `127.0.0.1:7788`, `[::1]:0`, `localhost:7788`. Throws CommandError `usage`. */
export function parseHttpAddress(text: string): HttpAddress {
  const [, named = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const host = named === 'localhost' ? '127.0.0.1' : named.replace(/^\[(.*)\]$/, '$1')
  const port = digits === '' ? Number.NaN : Number(digits)
  if (!(port <= PORT_MAX)) {
    throw new CommandError('usage', `--http takes a port, or an address and a port, not ${text}.`, {
      hint: 'kith daemon --http 7788'
    })
  }
  if (host !== '::1' && !/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)) {
    throw new CommandError(
      'usage',
      `--http listens on loopback only, and ${host} is not: whoever has the token reads and writes as you.`,
      { hint: 'kith daemon --http 127.0.0.1:7788, and a tunnel (ssh -L) from elsewhere' }
    )
  }
  return { host, port }
}
