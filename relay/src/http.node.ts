// `/health` and `/metrics` over HTTP, for monitors: no account, device or content is named there.
import { createServer, type Server } from 'node:http'
import type { Metrics } from '@kith/node/kernel'
import { OperatorError } from './errors.ts'

/** A scraper or two, and whoever looks at it by hand. */
const CONNECTIONS_MAX = 32
const REQUEST_TIMEOUT_MS = 5_000
const HEADER_BYTES_MAX = 8_192

export interface Health {
  /** `ok`, or why new messages are not taken. */
  readonly status: 'ok' | 'low-disk' | 'stopping'
}

export interface HttpServer {
  /** `host:port` as bound. */
  readonly address: string
  close(): void
}

/** Listens on `host:port`. Throws OperatorError when it cannot. */
export async function serveHttp(
  where: string,
  { metrics, health }: { metrics: Pick<Metrics, 'exposition'>; health: () => Health }
): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS
    },
    (request, response) => {
      const [path] = (request.url ?? '').split('?')
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      response.setHeader('cache-control', 'no-store')
      response.setHeader('x-content-type-options', 'nosniff')
      if (!isRead) {
        response.writeHead(405, { allow: 'GET, HEAD' }).end()
      } else if (path === '/metrics') {
        response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        response.end(metrics.exposition())
      } else if (path === '/health') {
        const state = health()
        response.setHeader('content-type', 'application/json')
        response.statusCode = state.status === 'ok' ? 200 : 503
        response.end(`${JSON.stringify(state)}\n`)
      } else {
        response.writeHead(404).end()
      }
    }
  )
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, where)
  server.unref()
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    address: `${where.slice(0, where.lastIndexOf(':'))}:${port}`,
    close() {
      server.close()
      server.closeAllConnections()
    }
  }
}

function listen(server: Server, where: string): Promise<void> {
  const at = where.lastIndexOf(':')
  const host = where.slice(0, at).replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new OperatorError('http', `Cannot serve HTTP on ${where}: ${cause.message}.`, {
          hint: 'Choose another address for "http" in relay.toml, or "" for none.',
          cause
        })
      )
    })
    server.listen(Number(where.slice(at + 1)), host, resolve)
  })
}
