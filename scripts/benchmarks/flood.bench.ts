// R7 at a tenth: honest clients of a relay while somebody connects hundreds of times a second from a thousand
// addresses. What it costs the relay in memory, and the honest in time.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MIB, parseJoinLink } from '@kith/protocols'
import { cpuSecondsOf, startWorker } from './processes.ts'
import { startRelay } from './relay-process.ts'
import { figureOf } from './report.ts'
import type { Subject } from './subject.ts'

const ATTACKER = fileURLToPath(new URL('../../relay/test/floods/attacker.ts', import.meta.url))
const CONNECTS_PER_SECOND = 500
const ADDRESSES = 1_000
/** A tenth of the bar's 2,000 clients and 10 minutes; the strangers are those who finish their handshake. */
const SIZE = { honest: 200, active: 20, seconds: 60, strangersPerSecond: 2 }
const QUICK = { honest: 20, active: 5, seconds: 5, strangersPerSecond: 2 }
/** After the flood, when memory is looked at again. */
const CALM_MS = 20_000

interface Noticed {
  readonly losses: number
  readonly failures: number
  readonly appends: number
  readonly p99Ms: number
}

/** Bytes of memory of a process: now, or the most it ever had. */
function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1_024
}

async function flood(port: number, seconds: number): Promise<{ started: number; opened: number }> {
  const child = fork(ATTACKER, [port, CONNECTS_PER_SECOND, seconds, ADDRESSES].map(String), {
    execArgv: []
  })
  try {
    const [report] = await once(child, 'message')
    return report
  } finally {
    child.kill()
  }
}

export const subject: Subject = {
  summary: `R7 at a tenth: ${CONNECTS_PER_SECOND} hostile connects a second, ${SIZE.honest} honest clients`,
  async run({ quick, folder, profileFolder, progress, report }) {
    const { honest, active, seconds, strangersPerSecond } = quick ? QUICK : SIZE
    const relay = await startRelay(folder, profileFolder)
    const clients = startWorker(new URL('./workers/flood-clients.ts', import.meta.url))
    const strangers = startWorker(new URL('./workers/flood-clients.ts', import.meta.url))
    const { joinLink } = relay
    const port = Number(/\/tcp\/(\d+)/.exec(parseJoinLink(joinLink).addresses[0] ?? '')?.[1])
    try {
      progress(`${honest} honest clients join`)
      await clients.call('open', { joinLink, count: honest })
      const calmBytes = memoryOf(relay.pid, 'VmRSS')
      const cpuBefore = cpuSecondsOf(relay.pid)
      await clients.call('start', { active })
      progress(`flood of ${seconds} s`)
      const load = { joinLink, perSecond: strangersPerSecond, seconds }
      const [attack] = await Promise.all([flood(port, seconds), strangers.call('strangers', load)])
      const cpuShare = (cpuSecondsOf(relay.pid) - cpuBefore) / seconds
      const noticed = await clients.call<Noticed>('stop')
      const peakBytes = memoryOf(relay.pid, 'VmHWM')
      await new Promise((resolve) => setTimeout(resolve, quick ? 0 : CALM_MS))
      const afterBytes = memoryOf(relay.pid, 'VmRSS')
      const note = `${attack.started} connects, ${attack.opened} opened, ${noticed.appends} appends`
      const say = (name: string, value: number, unit: string, limit?: number) =>
        report(
          figureOf(
            {
              name: `flood: ${name}`,
              value,
              unit,
              note,
              ...(limit === undefined ? {} : { bar: { of: 'value', is: 'at most', limit } })
            },
            { count: 1, load: loadavg()[0] ?? Number.NaN }
          )
        )
      say('honest disconnects', noticed.losses, 'connections', 0)
      say('honest appends that failed', noticed.failures, 'appends', 0)
      say('honest append p99', noticed.p99Ms, 'ms', 1_000)
      say('relay memory, most', peakBytes / MIB, 'MiB', 768)
      say('relay memory before', calmBytes / MIB, 'MiB')
      say('relay memory after', afterBytes / MIB, 'MiB')
      say('relay processor', cpuShare * 100, '% of a core')
    } finally {
      await Promise.all([clients.stop(), strangers.stop()])
      await relay.stop()
    }
  }
}
