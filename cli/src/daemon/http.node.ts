// JSON-RPC and durable events over loopback HTTP, for programs that cannot use the socket: POST /rpc, GET /events as
// server-sent events, GET /openrpc.json. Everything is bounded, and everything needs the token.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CommandError, failureOf } from '../errors.ts'
import { loggedEvents } from '../logged-events.ts'
import type { CommandHost } from '../rpc/command-methods.ts'
import { createDispatcher, type Dispatcher } from '../rpc/dispatch.ts'
import { RPC_ERROR, type RpcError, readRequest, rpcErrorOf } from '../rpc/json-rpc.ts'
import { describeMethods } from '../rpc/open-rpc.ts'
import { toSafeJson } from '../sanitize.ts'
import type { HttpAddress } from './address.ts'
import { refusalOf } from './guard.ts'
import type { Token } from './token.node.ts'

/** As on the socket. */
const BODY_BYTES_MAX = 1_024 * 1_024
const CONNECTIONS_MAX = 64
/** Event streams at a time; each holds a connection. */
const STREAMS_MAX = 16
/** A request is there within this time, headers within half of it. */
const REQUEST_MS_MAX = 20_000
/** A comment goes out this often, so that a dead reader is noticed. */
const KEEP_ALIVE_MS = 15_000

export interface HttpServer {
  /** `http://127.0.0.1:7788` */
  readonly url: string
  close(): Promise<void>
}

/** Throws CommandError `address-in-use`, or the system's error. */
export async function serveHttp(options: {
  readonly address: HttpAddress
  readonly token: Token
  readonly host: CommandHost
}): Promise<HttpServer> {
  const { address, token, host } = options
  const dispatcher = createDispatcher(host)
  const ending = new AbortController()
  const service = new Service({ dispatcher, host, token, signal: ending.signal })
  const server = createServer(
    { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX / 2 },
    (request, response) => void service.answer(request, response)
  )
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, address)
  const { port } = server.address() as AddressInfo
  service.port = port
  const name = address.host.includes(':') ? `[${address.host}]` : address.host
  return {
    url: `http://${name}:${port}`,
    async close() {
      ending.abort()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    }
  }
}

function listen(server: Server, { host, port }: HttpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = failureOf(error).code === 'EADDRINUSE'
      const hint = 'kith daemon --http 0 takes any that is free'
      reject(
        isTaken
          ? new CommandError('address-in-use', `Another program listens on ${host}:${port}.`, {
              hint
            })
          : error
      )
    })
    server.listen(port, host, () => resolve())
  })
}

class Service {
  port = 0
  private readonly dispatcher: Dispatcher
  private readonly host: CommandHost
  private readonly token: Token
  private readonly signal: AbortSignal
  private streams = 0

  constructor(init: {
    dispatcher: Dispatcher
    host: CommandHost
    token: Token
    signal: AbortSignal
  }) {
    this.dispatcher = init.dispatcher
    this.host = init.host
    this.token = init.token
    this.signal = init.signal
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    try {
      const { headers } = request
      const refused = refusalOf(
        {
          host: headers.host,
          origin: headers.origin,
          site: headers['sec-fetch-site']?.toString(),
          authorization: headers.authorization
        },
        { port: this.port, isToken: (token) => this.token.matches(token) }
      )
      if (refused !== undefined) return fail(response, refused.status, refused.message)
      await this.route(request, response)
    } catch (error) {
      if (!response.headersSent) fail(response, 500, failureOf(error).message)
      else response.destroy()
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const route = `${request.method} ${url.pathname}`
    if (route === 'POST /rpc') return this.call(request, response)
    if (route === 'GET /events') return this.stream(request, response, url.searchParams)
    if (route === 'GET /openrpc.json') return reply(response, 200, describeMethods(this.host.table))
    const isKnown = ['/rpc', '/events', '/openrpc.json'].includes(url.pathname)
    if (isKnown) return fail(response, 405, `${url.pathname} is not asked with ${request.method}.`)
    fail(response, 404, 'There are /rpc, /events and /openrpc.json here.')
  }

  private async call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/json') {
      return fail(response, 415, 'The Content-Type has to be application/json.')
    }
    const body = await readBody(request)
    if (body === undefined) {
      response.setHeader('connection', 'close')
      return fail(response, 413, `A request is at most ${BODY_BYTES_MAX} bytes.`)
    }
    const answer = (id: unknown, outcome: object) =>
      reply(response, 200, { jsonrpc: '2.0', id, ...outcome })
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    } catch {
      return answer(null, { error: rpcError(RPC_ERROR.parse, 'Not JSON.') })
    }
    const asked = readRequest(value)
    if (asked === undefined) {
      const message = 'Not a JSON-RPC 2.0 request with named parameters; batches are not taken.'
      return answer(null, { error: rpcError(RPC_ERROR.invalidRequest, message) })
    }
    const outcome = await this.dispatcher.carryOut(asked, this.endOf(response))
    if (asked.id === undefined) {
      response.writeHead(204)
      response.end()
    } else answer(asked.id, outcome)
  }

  private async stream(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams
  ): Promise<void> {
    if (this.streams >= STREAMS_MAX) {
      return fail(response, 503, `There are ${STREAMS_MAX} event streams already.`)
    }
    const last = request.headers['last-event-id'] ?? query.get('after') ?? undefined
    if (last !== undefined && !/^\d{1,15}$/.test(String(last))) {
      return fail(response, 400, 'after and Last-Event-ID are the number of an event.')
    }
    const position = {
      after: last === undefined ? undefined : Number(last),
      consumer: query.get('consumer') ?? undefined
    }
    this.streams += 1
    try {
      await sendEvents(response, { position, host: this.host, signal: this.endOf(response) })
    } finally {
      this.streams -= 1
    }
  }

  /** Aborted when the caller leaves, or this process ends. */
  private endOf(response: ServerResponse): AbortSignal {
    const controller = new AbortController()
    const end = (): void => controller.abort()
    response.once('close', end)
    if (this.signal.aborted) end()
    else this.signal.addEventListener('abort', end, { once: true, signal: controller.signal })
    return controller.signal
  }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function sendEvents(
  response: ServerResponse,
  options: {
    readonly position: { after: number | undefined; consumer: string | undefined }
    readonly host: CommandHost
    readonly signal: AbortSignal
  }
): Promise<void> {
  const { position, host, signal } = options
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
  let cancel = (): void => undefined
  const keepAlive = (): void => {
    cancel = host.clock.schedule(KEEP_ALIVE_MS, () => {
      if (signal.aborted) return
      response.write(': still here\n\n')
      keepAlive()
    })
  }
  keepAlive()
  try {
    for await (const events of loggedEvents(host.api, position, { signal })) {
      for (const logged of events) {
        if (signal.aborted) return
        const data = toSafeJson({ atMs: logged.atMs, event: logged.event })
        await write(response, `id: ${logged.number}\ndata: ${data}\n\n`)
      }
    }
  } catch (error) {
    await write(response, `event: error\ndata: ${toSafeJson(rpcErrorOf(error))}\n\n`)
  } finally {
    cancel()
    response.end()
  }
}

/** Resolves once the reader has room again, or is gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.write(text)) return resolve()
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > BODY_BYTES_MAX) return undefined
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Uint8Array).byteLength
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks)
}

function reply(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${toSafeJson(value)}\n`)
}

const fail = (response: ServerResponse, status: number, message: string): void =>
  reply(response, status, { error: { message } })

const rpcError = (code: number, message: string): RpcError => ({ code, message })
