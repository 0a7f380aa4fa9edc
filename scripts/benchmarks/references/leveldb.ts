// Reference: LevelDB itself (level), sync batches, no record format, no protocol, no relay.
import { join } from 'node:path'
import type { LoadResult } from '../measure/load.ts'
import { startWorker } from '../processes.ts'

export interface LevelReference {
  /** The writing process. */
  readonly pid: number
  /** Writes `count` records in sync batches of `batch`; the rate is of records, the latency of batches. */
  batches(options: { count: number; batch: number }): Promise<LoadResult>
  stop(): Promise<void>
}

/** Opens an empty database in a process of its own. */
export async function startLevel(folder: string): Promise<LevelReference> {
  const worker = startWorker(new URL('../workers/leveldb.ts', import.meta.url))
  await worker.call('open', { folder: join(folder, 'leveldb') })
  return {
    pid: worker.pid,
    batches: (options) => worker.call('batches', options),
    stop: () => worker.stop()
  }
}
