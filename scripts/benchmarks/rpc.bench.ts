// One request and its response through the kernel's runner, against a bare libp2p stream that echoes: what
// frames, limits and coalescing cost or save. Explains P3 to P5.
import { BODY_BYTES } from './body.ts'
import type { Load, LoadResult } from './measure/load.ts'
import { interleave, type Side } from './measure/rounds.ts'
import { startWorker, type WorkerProcess } from './processes.ts'
import { startPlain } from './references/plain.ts'
import { figureOf } from './report.ts'
import type { Subject } from './subject.ts'

interface Sample extends LoadResult {
  /** Processor microseconds an exchange costs the process that answers. */
  readonly serverMicroseconds: number
}

/** Runs a load and reads the server's processor time around it. */
async function withCpu(
  server: WorkerProcess,
  load: Load,
  run: (load: Load) => Promise<LoadResult>
): Promise<Sample> {
  const before = await server.call<number>('cpuSeconds')
  const result = await run(load)
  const used = (await server.call<number>('cpuSeconds')) - before
  return { ...result, serverMicroseconds: (used * 1e6) / load.count }
}

export const subject: Subject = {
  summary: `requests of ${BODY_BYTES} bytes through the kernel's runner against a bare libp2p echo`,
  async run({ rounds, quick, progress, report }) {
    const server = startWorker(new URL('./workers/rpc-server.ts', import.meta.url))
    const client = startWorker(new URL('./workers/rpc-client.ts', import.meta.url))
    const plain = await startPlain()
    try {
      await client.call('open', await server.call('open'))
      const request = (load: Load) => client.call<LoadResult>('request', load)
      for (const inFlight of [1, 64]) {
        const load = { count: quick ? 200 : inFlight === 1 ? 3_000 : 20_000, inFlight }
        const sides: Side<Sample>[] = [
          { name: 'rpc', measure: () => withCpu(server, load, request) },
          { name: 'plain', measure: () => withCpu(plain.server, load, plain.echo) }
        ]
        // The first run of each pays for compilation, which is no cost of a message.
        await Promise.all([request(load), plain.echo(load)])
        const result = await interleave(sides, { rounds, progress })
        const measured = (name: string, unit: string, value: (sample: Sample) => number) =>
          report(
            figureOf(
              {
                name: `rpc: ${name}, ${inFlight} in flight`,
                value: result.median('rpc', value) ?? Number.NaN,
                unit,
                reference: { name: 'plain libp2p', value: result.median('plain', value) }
              },
              result
            )
          )
        measured('requests', 'requests/s', (sample) => sample.perSecond)
        measured('latency p50', 'ms', (sample) => sample.p50Ms)
        measured('server CPU', 'us/request', (sample) => sample.serverMicroseconds)
      }
    } finally {
      await Promise.all([client.stop(), server.stop(), plain.stop()])
    }
  }
}
