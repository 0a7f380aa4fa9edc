// Who may speak to the daemon over HTTP: programs of this user that know the token. Web pages are kept out even if they
// do: a page may reach loopback by any name that its DNS is made to answer (DNS rebinding), so that the Host, which it
// cannot choose, has to be one of ours, and whatever names an Origin is refused.

/** What is looked at of a request. */
export interface Asked {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** https://www.w3.org/TR/fetch-metadata: browsers set it, programs do not. */
  readonly site: string | undefined
  readonly authorization: string | undefined
}

export interface Refusal {
  readonly status: 401 | 403
  readonly message: string
}

const NAMES = ['127.0.0.1', 'localhost', '[::1]']

/** Undefined when it may go on. `isToken` compares in constant time. */
export function refusalOf(
  { host, origin, site, authorization }: Asked,
  { port, isToken }: { port: number; isToken: (token: string) => boolean }
): Refusal | undefined {
  const name = host?.toLowerCase()
  if (name === undefined || !NAMES.some((one) => name === `${one}:${port}`)) {
    return { status: 403, message: 'The Host of the request is not this machine.' }
  }
  const isPage = origin !== undefined || (site !== undefined && site !== 'none')
  if (isPage) return { status: 403, message: 'Web pages may not use this.' }
  const token = /^Bearer ([A-Za-z0-9_-]{1,256})$/.exec(authorization ?? '')?.[1]
  if (token === undefined || !isToken(token)) {
    return { status: 401, message: 'The token is missing or wrong.' }
  }
  return undefined
}
