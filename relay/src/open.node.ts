// A relay on this machine: its folder, its store on disk, its network.
import {
  createMetrics,
  type Log,
  type Metrics,
  type Store,
  StoreError,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import {
  createNetwork,
  nodePrimitives,
  openLevelStore,
  processFailpoint
} from '@kith/node/kernel/host'
import { OperatorError } from './errors.ts'
import { filesOf, type HomeFiles, readHome } from './home.node.ts'
import { createRelay, type Relay } from './relay.ts'
import { serveStatus } from './status.node.ts'

export interface OpenRelayInit {
  /** Folder that `init` made. */
  readonly home: string
  readonly log: Log
  readonly metrics?: Metrics
}

/** Starts the relay of a folder. Throws OperatorError with what to type. */
export async function openRelay({ home, log, metrics }: OpenRelayInit): Promise<Relay> {
  const files = filesOf(home, nodePrimitives.sha256)
  const { config, seed, invite } = await readHome(files)
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
      network: (isKnown) =>
        createNetwork({
          ...environment,
          privateKey: seed,
          listen: [...config.listen],
          profile: 'relay',
          isKnown
        })
    })
    return await serveStatus(relay, files)
  } catch (error) {
    await store.close().catch(() => undefined)
    throw error instanceof StoreError ? storeProblem(error, files) : error
  }
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
