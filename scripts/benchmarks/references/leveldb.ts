// Reference: LevelDB itself (classic-level), sync batches, no record format, no protocol, no relay.
import { join } from 'node:path'
import { startWorker } from '../processes.ts'

export interface LevelReference {
  /** Records a second when `count` records are written in sync batches of `batch`. */
  batches(options: { count: number; batch: number }): Promise<{ perSecond: number; p50Ms: number }>
  stop(): Promise<void>
}

export async function startLevel(folder: string): Promise<LevelReference> {
  const worker = startWorker(new URL('../workers/leveldb.ts', import.meta.url))
  await worker.call('open', { folder: join(folder, 'leveldb') })
  return {
    batches: (options) => worker.call('batches', options),
    stop: () => worker.stop()
  }
}
