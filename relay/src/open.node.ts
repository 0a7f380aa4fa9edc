// A relay on this machine: its folder, its store on disk, its network.
import { statfs } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import {
  createMetrics,
  type Log,
  type Metrics,
  type Store,
  StoreError,
  silentLog,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import {
  createNetwork,
  nodePrimitives,
  openLevelStore,
  processFailpoint
} from '@kith/node/kernel/host'
import { ProtocolError } from '@kith/protocols'
import { controlOf } from './admin/admin.ts'
import { backUp } from './backup/backup.node.ts'
import type { Difference, RelayConfig } from './config/index.ts'
import { ask, type Params, serveControl } from './control.node.ts'
import { OperatorError } from './errors.ts'
import { filesOf, type HomeFiles, readHome, readSettings } from './home.node.ts'
import { serveHttp } from './http.node.ts'
import { createRelay, type Relay, type RelayNetwork } from './relay.ts'

export interface OpenRelayInit {
  /** Folder that `init` made. */
  readonly home: string
  readonly log: Log
  readonly metrics?: Metrics
  /** Settings in it win over the file; none by default. */
  readonly env?: NodeJS.ProcessEnv
  /** Told of settings that were read again and are good. */
  readonly onSettings?: (config: RelayConfig) => void
}

export interface OpenedRelay extends Relay {
  /** `host:port` of `/health` and `/metrics`, when they are served. */
  readonly http: string | undefined
  /** Reads the settings again; resolves to what differs. Throws OperatorError, and nothing has changed. */
  reload(): Promise<readonly Difference[]>
}

/** Starts the relay of a folder. Throws OperatorError with what to type. */
export async function openRelay({
  home,
  log,
  metrics,
  env = {},
  onSettings = () => undefined
}: OpenRelayInit): Promise<OpenedRelay> {
  const files = filesOf(home, nodePrimitives.sha256)
  const { config, seed, invite } = await readHome(files, env)
  const store = await openStore(files, log)
  const environment = {
    clock: systemClock,
    random: systemRandom,
    log,
    metrics: metrics ?? createMetrics()
  }
  try {
    const relay = await createRelay({
      ...environment,
      store,
      privateKey: seed,
      primitives: nodePrimitives,
      config,
      invite,
      failpoint: processFailpoint,
      freeBytes: () => freeBytes(files.store),
      network: (isKnown) =>
        createNetwork({
          ...environment,
          privateKey: seed,
          listen: [...config.listen],
          profile: 'relay',
          isKnown
        })
    })
    return await serveOperator(relay, {
      files,
      config,
      env,
      metrics: environment.metrics,
      log,
      onSettings,
      store
    })
  } catch (error) {
    await store.close().catch(() => undefined)
    throw error instanceof StoreError ? storeProblem(error, files) : error
  }
}

/** As `ask` of a running relay, over the store of one that does not run. Throws OperatorError. */
export async function administer<T>(files: HomeFiles, method: string, params: Params): Promise<T> {
  const answered = await ask<T>(files, method, params)
  if (answered !== undefined) return answered
  const { config, seed, invite } = await readHome(files, {})
  const store = await openStore(files, silentLog)
  const relay = await createRelay({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics(),
    store,
    privateKey: seed,
    primitives: nodePrimitives,
    config,
    invite,
    network: async () => NOWHERE
  })
  try {
    return (await controlOf(relay.admin)(method, params)) as T
  } finally {
    await relay.stop()
  }
}

/** A network that nobody reaches. */
const NOWHERE: RelayNetwork = {
  rpc: {
    serve: () => () => undefined,
    serveSubscription: () => () => undefined,
    request: () => Promise.reject(new ProtocolError('unreachable', 'no network')),
    subscribe: () => Promise.reject(new ProtocolError('unreachable', 'no network'))
  },
  addresses: () => [],
  disconnect() {},
  stop: async () => undefined
}

interface OperatorInit {
  readonly files: HomeFiles
  readonly config: RelayConfig
  readonly env: NodeJS.ProcessEnv
  readonly metrics: Metrics
  readonly log: Log
  readonly onSettings: (config: RelayConfig) => void
  readonly store: Store
}

/** The relay with its control socket and HTTP addresses, until it stops. */
async function serveOperator(relay: Relay, init: OperatorInit): Promise<OpenedRelay> {
  const { files, config, env, metrics, log, onSettings, store } = init
  try {
    const reload = async (): Promise<readonly Difference[]> => {
      const { config: next } = await readSettings(files, env)
      const differences = relay.reconfigure(next)
      for (const { key, before, after, needsRestart } of differences) {
        const [from, to] = [JSON.stringify(before), JSON.stringify(after)]
        log.info('setting changed', { key, from, to, needsRestart })
      }
      onSettings(next)
      return differences
    }
    const own = new Map<string, (params: Params) => Promise<unknown>>([
      ['status', async () => relay.status()],
      ['reload', reload],
      ['backup', ({ to }) => backUp({ files, store }, backupFolder(to))]
    ])
    const http =
      config.http === ''
        ? undefined
        : await serveHttp(config.http, {
            metrics: { exposition: () => exposition(relay, metrics) },
            health: () => ({ status: relay.health })
          })
    const control = await serveControl(controlOf(own, relay.admin), files)
    return Object.assign(Object.create(relay) as Relay, {
      http: http?.address,
      reload,
      async stop() {
        control.close()
        http?.close()
        await relay.stop()
      }
    })
  } catch (error) {
    await relay.stop()
    throw error
  }
}

/** Throws OperatorError unless it is an absolute path: the relay runs in another folder than who asks. */
function backupFolder(to: unknown): string {
  if (typeof to === 'string' && isAbsolute(to)) return to
  throw new OperatorError('usage', 'A backup needs an absolute folder.', {
    hint: 'Type: kith-relay backup <folder>'
  })
}

/** With what is counted only when somebody looks. */
function exposition(relay: Relay, metrics: Metrics): string {
  const { accounts, entries } = relay.status()
  metrics.gauge('kith_relay_accounts', 'Accounts hosted.').set(accounts)
  metrics.gauge('kith_relay_entries', 'Entries in all boxes.').set(entries)
  metrics
    .gauge('kith_relay_resident_bytes', 'Memory of the process.')
    .set(process.memoryUsage.rss())
  return metrics.exposition()
}

/** Of the file system that holds the folder, for this user. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** Opens the store; throws OperatorError naming the holder when another process has it. */
export async function openStore(files: HomeFiles, log: Log): Promise<Store> {
  try {
    return await openLevelStore({
      folder: files.store,
      log,
      command: 'kith-relay',
      failpoint: processFailpoint
    })
  } catch (error) {
    throw error instanceof StoreError ? storeProblem(error, files) : error
  }
}

/** What a store's failure means to the operator. */
export function storeProblem(error: StoreError, { home, store }: HomeFiles): OperatorError {
  const holder = error.holder ?? 'another process'
  const [message, hint] =
    error.code === 'in-use'
      ? [
          `The relay in ${home} is running already: ${holder}.`,
          `Type: kith-relay status --home ${home}`
        ]
      : [
          `The store in ${store} cannot be used (${error.code}): ${error.message}`,
          'Check the disk, then restore the folder from a backup. Nothing was changed or deleted.'
        ]
  return new OperatorError(`store-${error.code}`, message, { hint, cause: error })
}
