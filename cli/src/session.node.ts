// Opens the messenger of a home: through the socket of the process that already holds the store, else in this process,
// which then serves the socket to others. When the holder ends, the session opens again by the same rule.
import type { MessengerApi, NodeEvent } from '@kith/node'
import { type Clock, pause } from './clock.ts'
import type { CommandTable, Session } from './command.ts'
import type { Settings } from './config/settings.ts'
import type { Engine, Log, Messenger, SecretSource } from './engine.ts'
import { CommandError, failureOf } from './errors.ts'
import { METHODS } from './rpc/methods.ts'
import { ConnectionLost, connectSocket } from './socket/client.node.ts'
import { type SocketPlace, socketPlace } from './socket/path.node.ts'
import { serveSocket } from './socket/server.node.ts'

/** A process that ends gives the store back within this time: it stops libp2p first. */
const STORE_WAIT_MS = 5_000
const STORE_RETRY_MS = 100
/** Openings in a row for one call; more means that holders end as fast as they start. */
const REOPEN_MAX = 5
const PASSPHRASE_TRIES = 3

export interface SessionInit {
  /** The commands that the socket offers as methods. */
  readonly table: CommandTable
  /** Absolute path. */
  readonly home: string
  readonly settings: Settings
  readonly configFile: string
  readonly engine: () => Promise<Engine>
  readonly secrets: SecretSource
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Told when the socket cannot be served, so that a second command will not work. */
  readonly onWarning: (message: string) => void
}

/** Either side of the socket. */
interface Backend {
  readonly api: MessengerApi
  readonly isHolder: boolean
  close(): Promise<void>
}

/** Throws what the engine throws, `store-in-use` when another process keeps the store and does not serve. */
export async function openSession(init: SessionInit): Promise<Session> {
  const session = new ReopeningSession(init)
  await session.current()
  return session
}

async function openBackend(init: SessionInit): Promise<Backend> {
  const place = placeOf(init)
  const giveUpAt = init.clock.now() + STORE_WAIT_MS
  while (true) {
    init.signal.throwIfAborted()
    const connection = place === undefined ? undefined : await connectSocket(place, init)
    if (connection !== undefined) {
      return { api: connection.api, isHolder: false, close: async () => connection.close() }
    }
    try {
      return await holdStore(init, place)
    } catch (error) {
      const isInUse = failureOf(error).code === 'store-in-use'
      if (!isInUse || init.clock.now() >= giveUpAt) throw error
      await pause(init.clock, STORE_RETRY_MS, init.signal)
    }
  }
}

function placeOf(init: SessionInit): SocketPlace | undefined {
  try {
    return socketPlace(init.home)
  } catch (error) {
    init.onWarning(failureOf(error).message)
    return undefined
  }
}

async function holdStore(init: SessionInit, place: SocketPlace | undefined): Promise<Backend> {
  const engine = await init.engine()
  const messenger = await unlock(engine, init)
  const server =
    place === undefined
      ? undefined
      : await serveSocket({ place, host: { ...init, api: messenger } }).catch((error: unknown) => {
          init.onWarning(`Other kith commands cannot join: ${failureOf(error).message}`)
          return undefined
        })
  return {
    api: messenger,
    isHolder: true,
    async close() {
      await server?.close()
      await messenger.stop()
    }
  }
}

/** Opens with the passphrase that was given, or asks for one when the key file needs it. */
async function unlock(engine: Engine, init: SessionInit): Promise<Messenger> {
  const { home, log, secrets } = init
  const given = await secrets.given()
  const open = (passphrase: string | undefined) =>
    engine.openMessenger({ home, log, ...(passphrase === undefined ? {} : { passphrase }) })
  let asked = 0
  let passphrase = given
  while (true) {
    try {
      return await open(passphrase)
    } catch (error) {
      const { code } = failureOf(error)
      const mayAsk = code === 'passphrase-needed' || (code === 'wrong-passphrase' && asked > 0)
      if (!mayAsk || asked >= PASSPHRASE_TRIES) throw error
      const answer = await secrets.ask(asked === 0 ? 'Passphrase: ' : 'Wrong. Passphrase: ')
      if (answer === undefined) throw error
      passphrase = answer
      asked++
    }
  }
}

/** A person is asked once, also when the store has to be opened again. */
function rememberAnswer(secrets: SecretSource): SecretSource {
  let answered: string | undefined
  return {
    given: async () => answered ?? (await secrets.given()),
    async ask(prompt) {
      answered = await secrets.ask(prompt)
      return answered
    }
  }
}

class ReopeningSession implements Session {
  readonly api: MessengerApi
  private readonly init: SessionInit
  private readonly listeners: (() => void)[] = []
  private opening: Promise<Backend> | undefined
  private backend: Backend | undefined
  private isClosed = false

  constructor(init: SessionInit) {
    this.init = { ...init, secrets: rememberAnswer(init.secrets) }
    this.api = {
      account: () => this.call('account', (api) => api.account()),
      status: () => this.call('status', (api) => api.status()),
      addContact: (options) => this.call('addContact', (api) => api.addContact(options)),
      listContacts: () => this.call('listContacts', (api) => api.listContacts()),
      listRequests: () => this.call('listRequests', (api) => api.listRequests()),
      acceptRequest: (options) => this.call('acceptRequest', (api) => api.acceptRequest(options)),
      ignoreRequest: (options) => this.call('ignoreRequest', (api) => api.ignoreRequest(options)),
      blockContact: (options) => this.call('blockContact', (api) => api.blockContact(options)),
      unblockContact: (options) =>
        this.call('unblockContact', (api) => api.unblockContact(options)),
      listBlocked: () => this.call('listBlocked', (api) => api.listBlocked()),
      safetyNumber: (options) => this.call('safetyNumber', (api) => api.safetyNumber(options)),
      verifyContact: (options) => this.call('verifyContact', (api) => api.verifyContact(options)),
      listDevices: () => this.call('listDevices', (api) => api.listDevices()),
      renameDevice: (options) => this.call('renameDevice', (api) => api.renameDevice(options)),
      removeDevice: (options) => this.call('removeDevice', (api) => api.removeDevice(options)),
      startLink: (options) => this.call('startLink', (api) => api.startLink(options)),
      answerLink: (options) => this.call('answerLink', (api) => api.answerLink(options)),
      cancelLink: () => this.call('cancelLink', (api) => api.cancelLink()),
      listEvidence: () => this.call('listEvidence', (api) => api.listEvidence()),
      sendMessage: (options) => this.call('sendMessage', (api) => api.sendMessage(options)),
      listMessages: (options) => this.call('listMessages', (api) => api.listMessages(options)),
      readEvents: (options, signal) =>
        this.call('readEvents', (api) => api.readEvents(options, signal)),
      confirmEvents: (options) => this.call('confirmEvents', (api) => api.confirmEvents(options)),
      listConsumers: () => this.call('listConsumers', (api) => api.listConsumers()),
      forgetConsumer: (options) =>
        this.call('forgetConsumer', (api) => api.forgetConsumer(options)),
      events: (signal) => this.events(signal)
    }
  }

  get isHolder(): boolean {
    return this.backend?.isHolder === true
  }

  onReopened(listener: () => void): void {
    this.listeners.push(listener)
  }

  async close(): Promise<void> {
    this.isClosed = true
    const backend = await this.opening?.catch(() => undefined)
    await backend?.close()
  }

  /** The open backend, opening it when there is none. Concurrent callers share one opening. */
  async current(): Promise<Backend> {
    if (this.backend !== undefined) return this.backend
    if (this.isClosed) throw new CommandError('interrupted', 'The session is closed.')
    this.opening ??= openBackend(this.init)
    try {
      this.backend = await this.opening
      return this.backend
    } catch (error) {
      this.opening = undefined
      throw error
    }
  }

  private forget(backend: Backend): void {
    if (this.backend !== backend) return
    this.backend = undefined
    this.opening = undefined
    // A lost connection has nothing left to stop; closing releases its descriptor.
    void backend.close()
  }

  /** Repeats what was certainly not carried out, and what may be carried out twice. */
  private async call<T>(method: string, run: (api: MessengerApi) => Promise<T>): Promise<T> {
    const isRepeatable = METHODS.get(method)?.isRepeatable === true
    for (let attempt = 1; ; attempt++) {
      const backend = await this.current()
      try {
        return await run(backend.api)
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        this.forget(backend)
        if (attempt >= REOPEN_MAX || !(error.isUndone || isRepeatable)) throw unknownOutcome(error)
      }
    }
  }

  private async *events(signal: AbortSignal): AsyncIterable<NodeEvent> {
    for (let isReopened = false; !signal.aborted; isReopened = true) {
      const backend = await this.current()
      const events = backend.api.events(signal)[Symbol.asyncIterator]()
      // Subscribed before anybody lists what was missed, so that nothing falls between the two.
      let next = events.next()
      if (isReopened) for (const listener of this.listeners) listener()
      try {
        for (let item = await next; item.done !== true; item = await next) {
          yield item.value
          next = events.next()
        }
        return
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        this.forget(backend)
      } finally {
        // Ends the subscription when the command stopped reading; nothing to tell if that fails.
        void Promise.resolve(events.return?.()).catch(() => undefined)
      }
    }
  }
}

function unknownOutcome(cause: Error): CommandError {
  return new CommandError(
    'connection-lost',
    'The kith process that holds the store ended before it answered. Whether the request was carried out is unknown.',
    { hint: 'kith message list <who>', cause }
  )
}
