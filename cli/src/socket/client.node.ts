// The other end of the local socket: a MessengerApi whose calls are carried out by the process that holds the store.
import { connect, type Socket } from 'node:net'
import type { MessengerApi, NodeEvent, ReadEventsOptions } from '@kith/node'
import { type Clock, deadline } from '../clock.ts'
import { CommandError } from '../errors.ts'
import {
  encodeLine,
  failureFromRpc,
  isRecord,
  RPC_ERROR,
  type RpcError,
  type RpcParams,
  SOCKET_VERSION
} from '../rpc/json-rpc.ts'
import { createLineSplitter, type Line } from './lines.ts'
import { checkFolder, type SocketPlace } from './path.node.ts'

/** Longest answer: 1,000 messages of 16 KiB, some of it escaped. */
const ANSWER_BYTES_MAX = 64 * 1_024 * 1_024
/** Events not yet taken by the command; a command that falls this far behind lists instead. */
const EVENTS_QUEUED_MAX = 10_000
/** A server answers its greeting in milliseconds; a stopped one never does. */
const HELLO_WAIT_MS = 5_000

/** The connection ended before the answer: whether the request was carried out is unknown. */
export class ConnectionLost extends CommandError {
  /** True when the request certainly was not carried out. */
  readonly isUndone: boolean

  constructor(isUndone: boolean) {
    super('connection-lost', 'The connection to the kith process that holds the store was lost.')
    this.isUndone = isUndone
  }
}

export interface Connection {
  readonly api: MessengerApi
  close(): void
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * Connects and greets. Undefined when nobody serves: no socket file, or one left behind. Throws `store-in-use` when the
 * holder does not answer, `socket-version` when it is another version of kith, `overloaded` when it is full.
 */
export async function connectSocket(
  place: SocketPlace,
  options: { clock: Clock; signal: AbortSignal }
): Promise<Connection | undefined> {
  if (!(await checkFolder(place))) return undefined
  const socket = await open(place.path)
  if (socket === undefined) return undefined
  const client = new SocketClient(socket)
  const wait = deadline(options.clock, HELLO_WAIT_MS, options.signal)
  wait.signal.addEventListener('abort', () => client.close(), { once: true })
  try {
    const hello = await client.request('hello', {})
    if (isRecord(hello) && hello.version === SOCKET_VERSION)
      return { api: client, close: () => client.close() }
    throw new CommandError('socket-version', 'Another version of kith holds the store.', {
      hint: 'end the other kith process, then repeat the command'
    })
  } catch (error) {
    client.close()
    // A server that is just ending: as if nobody served.
    if (error instanceof ConnectionLost && !wait.signal.aborted) return undefined
    if (!(error instanceof ConnectionLost)) throw error
    if (options.signal.aborted) throw new CommandError('interrupted', 'Interrupted.')
    throw new CommandError(
      'store-in-use',
      'The kith process that holds the store does not answer.',
      {
        hint: 'end the other kith process, then repeat the command'
      }
    )
  } finally {
    wait.cancel()
  }
}

/** ECONNRESET: the holder died between taking the connection and looking at it. */
const NOBODY: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTSOCK'
])

function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (NOBODY.has(error.code)) resolve(undefined)
      else reject(error)
    })
  })
}

class SocketClient implements MessengerApi {
  private readonly socket: Socket
  private readonly waiting = new Map<number, Waiting>()
  private readonly streams = new Map<number, EventStream>()
  private requestCount = 0
  private refusal: RpcError | undefined
  private isOver = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    void this.read()
  }

  account = () => this.request('account', {}) as ReturnType<MessengerApi['account']>
  status = () => this.request('status', {}) as ReturnType<MessengerApi['status']>
  addContact = (params: { link: string; name?: string }) =>
    this.request('addContact', params) as ReturnType<MessengerApi['addContact']>
  listContacts = () => this.request('listContacts', {}) as ReturnType<MessengerApi['listContacts']>
  listRequests = () => this.request('listRequests', {}) as ReturnType<MessengerApi['listRequests']>
  acceptRequest = (params: { who: string; name?: string }) =>
    this.request('acceptRequest', params) as ReturnType<MessengerApi['acceptRequest']>
  ignoreRequest = (params: { who: string }) =>
    this.request('ignoreRequest', params) as ReturnType<MessengerApi['ignoreRequest']>
  blockContact = (params: { who: string }) =>
    this.request('blockContact', params) as ReturnType<MessengerApi['blockContact']>
  unblockContact = (params: { who: string }) =>
    this.request('unblockContact', params) as ReturnType<MessengerApi['unblockContact']>
  listBlocked = () => this.request('listBlocked', {}) as ReturnType<MessengerApi['listBlocked']>
  safetyNumber = (params: { who: string }) =>
    this.request('safetyNumber', params) as ReturnType<MessengerApi['safetyNumber']>
  verifyContact = (params: { who: string; digits: string }) =>
    this.request('verifyContact', params) as ReturnType<MessengerApi['verifyContact']>
  listEvidence = () => this.request('listEvidence', {}) as ReturnType<MessengerApi['listEvidence']>
  listDevices = () => this.request('listDevices', {}) as ReturnType<MessengerApi['listDevices']>
  renameDevice = (params: { device: string; name: string }) =>
    this.request('renameDevice', params) as ReturnType<MessengerApi['renameDevice']>
  removeDevice = (params: { device: string }) =>
    this.request('removeDevice', params) as ReturnType<MessengerApi['removeDevice']>
  startLink = (params: { passphrase?: string }) =>
    this.request('startLink', params) as ReturnType<MessengerApi['startLink']>
  answerLink = async (params: { isSame: boolean }) =>
    void (await this.request('answerLink', params))
  cancelLink = async () => void (await this.request('cancelLink', {}))
  sendMessage = (params: { to: string; text: string }) =>
    this.request('sendMessage', params) as ReturnType<MessengerApi['sendMessage']>
  listMessages = (params: { with: string; limit?: number; before?: string }) =>
    this.request('listMessages', params) as ReturnType<MessengerApi['listMessages']>

  readEvents = (params: ReadEventsOptions) =>
    this.request('readEvents', { ...params }) as ReturnType<MessengerApi['readEvents']>
  confirmEvents = (params: { consumer: string; number: number }) =>
    this.request('confirmEvents', params) as ReturnType<MessengerApi['confirmEvents']>
  listConsumers = () =>
    this.request('listConsumers', {}) as ReturnType<MessengerApi['listConsumers']>
  forgetConsumer = (params: { consumer: string }) =>
    this.request('forgetConsumer', params) as ReturnType<MessengerApi['forgetConsumer']>

  /** Subscribes at the first `next()`, before any request made after it. */
  async *events(signal: AbortSignal): AsyncIterable<NodeEvent> {
    const stream = new EventStream()
    const onAbort = () => stream.finish()
    signal.addEventListener('abort', onAbort, { once: true })
    let subscription: number | undefined
    const opened = this.request('events', {}, (result) => {
      subscription = isRecord(result) ? Number(result.subscription) : Number.NaN
      this.streams.set(subscription, stream)
    })
    try {
      await opened
      if (!signal.aborted) yield* stream.read()
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (subscription !== undefined) this.cancel(subscription)
    }
  }

  /** `onResult` runs before the next line is read, so that no event of a new stream is missed. */
  request(
    method: string,
    params: RpcParams,
    onResult?: (result: unknown) => void
  ): Promise<unknown> {
    if (this.isOver || !this.socket.writable) return Promise.reject(new ConnectionLost(true))
    const id = ++this.requestCount
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {
        resolve: (result) => {
          onResult?.(result)
          resolve(result)
        },
        reject
      })
      this.socket.write(encodeLine({ jsonrpc: '2.0', id, method, params }))
    })
  }

  close(): void {
    this.isOver = true
    this.socket.destroy()
  }

  private cancel(subscription: number): void {
    this.streams.delete(subscription)
    // The answer tells nothing new; a lost connection has cancelled it as well.
    this.request('cancel', { subscription }).catch(() => undefined)
  }

  private async read(): Promise<void> {
    const splitter = createLineSplitter(ANSWER_BYTES_MAX)
    try {
      for await (const chunk of this.socket) {
        for (const line of splitter.push(chunk as Uint8Array)) this.take(line)
      }
    } catch {
      // Broken or nonsense: both end the connection, and everything that waits is told below.
    }
    this.isOver = true
    this.socket.destroy()
    const refusal = this.refusal
    for (const waiting of this.waiting.values()) {
      waiting.reject(refusal === undefined ? new ConnectionLost(false) : failureFromRpc(refusal))
    }
    this.waiting.clear()
    for (const stream of this.streams.values()) stream.finish(new ConnectionLost(false))
    this.streams.clear()
  }

  private take(line: Line): void {
    if (line.kind === 'too-long') throw new CommandError('socket', 'An answer is too long.')
    const message: unknown = JSON.parse(new TextDecoder().decode(line.bytes))
    if (!isRecord(message)) throw new CommandError('socket', 'An answer is malformed.')
    if (typeof message.method === 'string') return this.takeNotification(message)
    const error = isRecord(message.error) ? (message.error as unknown as RpcError) : undefined
    if (typeof message.id !== 'number') {
      this.refusal = error
      return
    }
    const waiting = this.waiting.get(message.id)
    this.waiting.delete(message.id)
    if (error === undefined) waiting?.resolve(message.result)
    else
      waiting?.reject(
        error.code === RPC_ERROR.closing ? new ConnectionLost(true) : failureFromRpc(error)
      )
  }

  private takeNotification(message: Record<string, unknown>): void {
    if (message.method === 'closing') this.isOver = true
    const params = isRecord(message.params) ? message.params : {}
    const stream = this.streams.get(Number(params.subscription))
    if (message.method === 'event') stream?.push(params.event as NodeEvent)
    if (message.method === 'end') stream?.finish(new ConnectionLost(false))
  }
}

/** Events between the socket and the command, in a bounded queue. */
class EventStream {
  private readonly queue: NodeEvent[] = []
  private wake: (() => void) | undefined
  private isFinished = false
  private failure: Error | undefined

  push(event: NodeEvent): void {
    if (this.isFinished) return
    this.queue.push(event)
    if (this.queue.length > EVENTS_QUEUED_MAX) this.finish(new ConnectionLost(false))
    this.wake?.()
  }

  finish(failure?: Error): void {
    if (this.isFinished) return
    this.isFinished = true
    this.failure = failure
    this.wake?.()
  }

  async *read(): AsyncIterable<NodeEvent> {
    while (true) {
      for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift())
        yield event
      if (this.failure !== undefined) throw this.failure
      if (this.isFinished) return
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
