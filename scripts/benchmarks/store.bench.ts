// The durable store by itself against bare LevelDB: what the record format, the checks and the group commit
// cost. Explains P4 and P5.
import { join } from 'node:path'
import type { LoadResult } from './measure/load.ts'
import { interleave } from './measure/rounds.ts'
import { startWorker } from './processes.ts'
import { startLevel } from './references/leveldb.ts'
import { figureOf } from './report.ts'
import type { Subject } from './subject.ts'

const IN_FLIGHT = 256
const BATCH = 100

interface Sample {
  readonly concurrentPerSecond: number
  readonly serialP50Ms: number
}

export const subject: Subject = {
  summary: 'openLevelStore against bare LevelDB sync batches',
  async run({ rounds, quick, folder, progress, report }) {
    const concurrent = quick ? 1_000 : 20_000
    const serial = quick ? 100 : 1_000
    const store = startWorker(new URL('./workers/store.ts', import.meta.url))
    const level = await startLevel(folder)
    try {
      await store.call('open', { folder: join(folder, 'store') })
      const ours = async (): Promise<Sample> => {
        const many = await store.call<LoadResult>('commit', {
          count: concurrent,
          inFlight: IN_FLIGHT
        })
        const one = await store.call<LoadResult>('commit', { count: serial, inFlight: 1 })
        return { concurrentPerSecond: many.perSecond, serialP50Ms: one.p50Ms }
      }
      const bare = async (): Promise<Sample> => {
        const many = await level.batches({ count: concurrent, batch: BATCH })
        const one = await level.batches({ count: serial, batch: 1 })
        return { concurrentPerSecond: many.perSecond, serialP50Ms: one.p50Ms }
      }
      const sides = [
        { name: 'store', measure: ours },
        { name: 'LevelDB', measure: bare }
      ]
      const result = await interleave(sides, { rounds, progress })
      const rate = (side: string) => result.median(side, (sample) => sample.concurrentPerSecond)
      const latency = (side: string) => result.median(side, (sample) => sample.serialP50Ms)
      report(
        figureOf(
          {
            name: `store: durable commits, ${IN_FLIGHT} in flight`,
            value: rate('store') ?? Number.NaN,
            unit: 'records/s',
            reference: { name: `LevelDB sync batches of ${BATCH}`, value: rate('LevelDB') }
          },
          result
        )
      )
      report(
        figureOf(
          {
            name: 'store: durable commit, one in flight, p50',
            value: latency('store') ?? Number.NaN,
            unit: 'ms',
            reference: { name: 'LevelDB sync put', value: latency('LevelDB') }
          },
          result
        )
      )
    } finally {
      await store.stop()
      await level.stop()
    }
  }
}
