// How the operator's commands talk to a running relay: a socket in its folder, open to whoever may enter the folder.
// One request a connection, one line of JSON each way, everything bounded.
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { OperatorError } from './errors.ts'
import type { HomeFiles } from './home.node.ts'

const SOCKET_MODE = 0o600
/** Askers at once; most are answered and gone within a millisecond. */
const ASKERS_MAX = 16
/** A request names a method and a few words; more is no request. */
const REQUEST_BYTES_MAX = 65_536
/** Whoever connects asks at once. */
const REQUEST_TIMEOUT_MS = 5_000
/** A relay that is alive answers in milliseconds, a busy one in tens; a backup takes as long as its disk. */
const ANSWER_TIMEOUT_MS = 5_000
/** The largest answer is a page of accounts. */
const ANSWER_BYTES_MAX = 16 * 1_048_576

export type Params = Readonly<Record<string, unknown>>

/** Answers a request; throws OperatorError for what the operator can act on. */
export type Control = (method: string, params: Params) => Promise<unknown>

type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly hint: string } }

export interface ControlServer {
  close(): void
}

/** Serves the socket until closed. The store is ours, so a socket that is still there belongs to nobody. */
export async function serveControl(
  control: Control,
  { socket }: Pick<HomeFiles, 'socket'>
): Promise<ControlServer> {
  const server = createServer({ allowHalfOpen: true }, (asker) => {
    void answer(asker, control)
  })
  server.maxConnections = ASKERS_MAX
  await rm(socket, { force: true })
  await listen(server, socket)
  await chmod(socket, SOCKET_MODE)
  return { close: () => void server.close() }
}

async function answer(asker: Socket, control: Control): Promise<void> {
  // An asker that goes away early has lost nothing.
  asker.on('error', () => undefined)
  asker.setTimeout(REQUEST_TIMEOUT_MS, () => asker.destroy())
  try {
    const { method, params } = requestOf(await readLine(asker, REQUEST_BYTES_MAX))
    asker.setTimeout(0)
    asker.end(`${JSON.stringify({ result: (await control(method, params)) ?? null })}\n`)
  } catch (error) {
    if (!asker.destroyed) asker.end(`${JSON.stringify({ error: failureOf(error) })}\n`)
  }
}

function requestOf(line: string): { method: string; params: Params } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw badRequest(cause)
  }
  const { method, params = {} } = (value ?? {}) as { method?: unknown; params?: unknown }
  const isRecord = typeof params === 'object' && params !== null && !Array.isArray(params)
  if (typeof method !== 'string' || !isRecord) throw badRequest()
  return { method, params: params as Params }
}

function badRequest(cause?: unknown): OperatorError {
  return new OperatorError('bad-request', 'That is no request.', {
    hint: 'Use the commands of kith-relay.',
    cause
  })
}

function failureOf(error: unknown) {
  if (error instanceof OperatorError) {
    return { code: error.code, message: error.message, hint: error.hint }
  }
  return { code: 'internal', message: String(error), hint: 'Look at the log of the relay.' }
}

/** The first line; rejects when it does not end within the bound. */
function readLine(from: Socket, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    from.setEncoding('utf8')
    from.on('data', (more: string) => {
      text += more
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > bytesMax) reject(new Error('a line without end'))
    })
    from.on('end', () => reject(new Error('it ended early')))
    from.on('close', () => reject(new Error('the connection was closed')))
    from.on('error', reject)
  })
}

/**
 * Asks a running relay; undefined when none runs. Throws OperatorError: its own, or `no-answer`.
 */
export async function ask<T>(
  { socket }: Pick<HomeFiles, 'socket'>,
  method: string,
  params: Params = {},
  within: 'seconds' | 'as long as it takes' = 'seconds'
): Promise<T | undefined> {
  const asker = connect(socket)
  try {
    asker.setTimeout(within === 'seconds' ? ANSWER_TIMEOUT_MS : 0, () =>
      asker.destroy(new Error('no answer in time'))
    )
    asker.write(`${JSON.stringify({ method, params })}\n`)
    const answered = JSON.parse(await readLine(asker, ANSWER_BYTES_MAX)) as Answer
    if ('error' in answered) {
      const { code, message, hint } = answered.error
      throw new OperatorError(code, message, { hint })
    }
    return answered.result as T
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    if (cause instanceof OperatorError) throw cause
    throw new OperatorError('no-answer', `The relay does not answer: ${message}.`, {
      hint: 'Look at its log, or stop it and start it again.',
      cause
    })
  } finally {
    asker.destroy()
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // Keeps no process alive by itself.
      server.unref()
      resolve()
    })
  })
}
