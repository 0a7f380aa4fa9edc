// One client of the local socket: reads requests with back-pressure, answers them, and pushes events through a bounded
// queue. A client that sends rubbish, too long a line or does not read is disconnected; nobody else notices.
import type { Socket } from 'node:net'
import type { MessengerApi, NodeEvent } from '@kith/node'
import type { Clock } from '../clock.ts'
import { CommandError } from '../errors.ts'
import { type LogPosition, loggedEvents } from '../logged-events.ts'
import type { Dispatcher, Outcome } from '../rpc/dispatch.ts'
import {
  encodeLine,
  RPC_ERROR,
  type RpcId,
  type RpcParams,
  type RpcRequest,
  type RpcResponse,
  readRequest,
  rpcErrorOf
} from '../rpc/json-rpc.ts'
import { METHODS, readParams } from '../rpc/methods.ts'
import { createLineSplitter, type Line } from './lines.ts'

/** Longest request: a message of 16 KiB in which every byte is escaped is 96 KiB; ten times that is an error. */
export const REQUEST_BYTES_MAX = 1_024 * 1_024
/** Requests of one client carried out at a time; more wait in the socket. */
export const REQUESTS_IN_FLIGHT_MAX = 32
/** Event streams of one client; a command needs one. */
export const SUBSCRIPTIONS_MAX = 4
/** Events waiting for one client to read; after that it is disconnected and lists what it missed. */
export const EVENTS_QUEUED_MAX = 1_024
/** A client that connects says something within this time, or gives its place to others. */
export const FIRST_LINE_WAIT_MS = 10_000

export interface ServedClient {
  readonly ended: Promise<void>
  /** Refuses new requests, answers those in flight, says goodbye. */
  close(): Promise<void>
  destroy(): void
}

export function serveClient(init: {
  socket: Socket
  api: MessengerApi
  dispatcher: Dispatcher
  clock: Clock
}): ServedClient {
  const client = new Client(init)
  const cancelWait = init.clock.schedule(FIRST_LINE_WAIT_MS, () => client.endUnlessHeard())
  const ended = client.run().finally(cancelWait)
  return { ended, close: () => client.close(), destroy: () => init.socket.destroy() }
}

class Client {
  private readonly socket: Socket
  private readonly api: MessengerApi
  private readonly dispatcher: Dispatcher
  /** Aborted when this process ends or the client leaves: nothing is waited for any more. */
  private readonly ending = new AbortController()
  private readonly subscriptions = new Map<number, AbortController>()
  private readonly inFlight = new Set<Promise<void>>()
  private subscriptionCount = 0
  private isClosing = false
  private wasHeard = false

  constructor(init: { socket: Socket; api: MessengerApi; dispatcher: Dispatcher }) {
    this.socket = init.socket
    this.api = init.api
    this.dispatcher = init.dispatcher
  }

  /** Reads until the client leaves; never rejects. */
  async run(): Promise<void> {
    const splitter = createLineSplitter(REQUEST_BYTES_MAX)
    // A reset connection ends the loop below as well; there is nobody to tell.
    this.socket.on('error', () => undefined)
    try {
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        for (const line of splitter.push(chunk as Uint8Array)) await this.take(line)
      }
      // A client may end its half and still wait for answers: `printf … | nc -U kith.sock`.
      await Promise.all(this.inFlight)
    } catch {
      // The socket broke: everything of this client is released below.
    }
    this.ending.abort()
    for (const controller of this.subscriptions.values()) controller.abort()
    this.socket.destroySoon()
  }

  endUnlessHeard(): void {
    if (!this.wasHeard) this.socket.destroy()
  }

  async close(): Promise<void> {
    this.isClosing = true
    this.ending.abort()
    for (const controller of this.subscriptions.values()) controller.abort()
    await Promise.all(this.inFlight)
    await this.send({ jsonrpc: '2.0', method: 'closing' })
    await new Promise<void>((resolve) => {
      this.socket.once('close', () => resolve())
      if (this.socket.destroyed) resolve()
      else this.socket.end()
    })
  }

  private async take(line: Line): Promise<void> {
    this.wasHeard = true
    if (line.kind === 'too-long') {
      const message = `A request is at most ${REQUEST_BYTES_MAX} bytes.`
      await this.answer(null, { error: { code: RPC_ERROR.invalidRequest, message } })
      this.socket.destroySoon()
      return
    }
    while (this.inFlight.size >= REQUESTS_IN_FLIGHT_MAX) await Promise.race(this.inFlight)
    const done = this.handle(line.bytes).finally(() => this.inFlight.delete(done))
    this.inFlight.add(done)
  }

  /** Answers one line. Calls start in the order of the lines. Never rejects. */
  private async handle(bytes: Uint8Array): Promise<void> {
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      return this.answer(null, { error: { code: RPC_ERROR.parse, message: 'Not a line of JSON.' } })
    }
    const request = readRequest(value)
    if (request === undefined) {
      const message = 'Not a JSON-RPC 2.0 request with named parameters; batches are not taken.'
      return this.answer(null, { error: { code: RPC_ERROR.invalidRequest, message } })
    }
    const outcome = await this.carryOut(request)
    if (request.id !== undefined) await this.answer(request.id, outcome)
  }

  private async carryOut(request: RpcRequest): Promise<Outcome> {
    if (this.isClosing) {
      return { error: { code: RPC_ERROR.closing, message: 'This process is ending.' } }
    }
    const { method, params = {} } = request
    try {
      if (method === 'events') return { result: this.subscribe(params) }
      if (method === 'cancel') return { result: this.cancel(params.subscription) }
    } catch (error) {
      return { error: rpcErrorOf(error) }
    }
    return await this.dispatcher.carryOut(request, this.ending.signal)
  }

  private subscribe(params: RpcParams): { subscription: number } {
    const position = positionOf(params)
    if (this.subscriptions.size >= SUBSCRIPTIONS_MAX) {
      throw new CommandError('overloaded', `A client may have ${SUBSCRIPTIONS_MAX} event streams.`)
    }
    const subscription = ++this.subscriptionCount
    const controller = new AbortController()
    this.subscriptions.set(subscription, controller)
    if (position === undefined) void this.pump(subscription, controller)
    else void this.pumpLog(subscription, controller, position)
    return { subscription }
  }

  private cancel(subscription: unknown): { cancelled: boolean } {
    const controller = this.subscriptions.get(Number(subscription))
    controller?.abort()
    return { cancelled: controller !== undefined }
  }

  private async pump(subscription: number, controller: AbortController): Promise<void> {
    const queue: NodeEvent[] = []
    let writing: Promise<void> | undefined
    const write = async () => {
      for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
        await this.send({ jsonrpc: '2.0', method: 'event', params: { subscription, event } })
      }
      writing = undefined
    }
    try {
      for await (const event of this.api.events(controller.signal)) {
        queue.push(event)
        if (queue.length > EVENTS_QUEUED_MAX) return void this.socket.destroy()
        writing ??= write()
      }
    } catch {
      // The messenger ended the stream; the client learns it from the line below.
    } finally {
      this.subscriptions.delete(subscription)
      await writing
      await this.send({ jsonrpc: '2.0', method: 'end', params: { subscription } })
    }
  }

  /** Durable events, as fast as the client reads them. */
  private async pumpLog(
    subscription: number,
    { signal }: AbortController,
    position: LogPosition
  ): Promise<void> {
    let error: object = {}
    try {
      for await (const events of loggedEvents(this.api, position, { signal })) {
        for (const logged of events) {
          if (signal.aborted) break
          const params = { subscription, ...logged }
          await this.send({ jsonrpc: '2.0', method: 'event', params })
        }
      }
    } catch (thrown) {
      error = { error: rpcErrorOf(thrown) }
    }
    this.subscriptions.delete(subscription)
    await this.send({ jsonrpc: '2.0', method: 'end', params: { subscription, ...error } })
  }

  private answer(id: RpcId, outcome: Outcome): Promise<void> {
    return this.send({ jsonrpc: '2.0', id, ...outcome })
  }

  /** Resolves once the socket took it or is gone, which holds back a client that does not read. */
  private send(message: RpcRequest | RpcResponse): Promise<void> {
    return new Promise((resolve) => {
      if (!this.socket.writable || this.socket.write(encodeLine(message))) return resolve()
      const done = () => {
        this.socket.off('drain', done)
        this.socket.off('close', done)
        resolve()
      }
      this.socket.once('drain', done)
      this.socket.once('close', done)
    })
  }
}

/** Where a subscription begins; undefined for live events, which nobody keeps. */
function positionOf(params: RpcParams): LogPosition | undefined {
  if (Object.keys(params).length === 0) return undefined
  const method = METHODS.get('readEvents')
  if (method === undefined) return undefined
  const read = readParams(method, params)
  return { after: read.optionalNumber('after'), consumer: read.optionalText('consumer') }
}
