// P1: a message between two messengers that are both online, from `sendMessage` until the other device shows it,
// against a plain libp2p echo that syncs to disk as often on the way.
import { join } from 'node:path'
import { BODY_BYTES } from './body.ts'
import type { Sent, Shown } from './measure/one-way.ts'
import { interleave, type Rounds } from './measure/rounds.ts'
import { percentile } from './measure/statistics.ts'
import { startWorker, type WorkerProcess } from './processes.ts'
import { startRelay } from './relay-process.ts'
import { type Bar, figureOf } from './report.ts'
import type { BenchmarkOptions, Subject } from './subject.ts'

const P50: Bar = { of: 'ratio', is: 'at most', limit: 2 }
const P99: Bar = { of: 'ratio', is: 'at most', limit: 3 }
/** Batches on the way: composed and sealed in one at the sender, stored at the recipient. */
const SENDER_SYNCS = 1
const RECIPIENT_SYNCS = 1

const COUNT = 200
const WARM_UP_COUNT = 1_500
const QUICK_DIVISOR = 20

interface Sample {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Part of the messages that the direct path brought first. */
  readonly direct: number
}

interface Pair {
  readonly alice: WorkerProcess
  readonly bob: WorkerProcess
}

export const subject: Subject = {
  summary: `P1: a direct message of ${BODY_BYTES} bytes between two messengers against a plain libp2p echo`,
  async run(options) {
    await using stack = new AsyncDisposableStack()
    const relay = await startRelay(options.folder)
    stack.defer(() => relay.stop())
    const pair = await openPair(relay.joinLink, options, stack)
    const echo = await openEcho(options.folder, stack)
    const count = options.quick ? Math.ceil(COUNT / QUICK_DIVISOR) : COUNT
    const warmUpCount = options.quick ? count : WARM_UP_COUNT
    options.progress('warming up')
    await sendRound(pair, warmUpCount, 'warm-up')
    await echo(warmUpCount)

    let round = 0
    const result = await interleave<Sample>(
      [
        { name: 'kith', measure: () => sendRound(pair, count, `round-${round++}`) },
        { name: 'echo', measure: () => echo(count) }
      ],
      options
    )
    reportAll(result, options)
  }
}

async function openPair(
  relay: string,
  { folder, profileFolder }: BenchmarkOptions,
  stack: AsyncDisposableStack
): Promise<Pair> {
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder]
  const start = () => {
    const worker = startWorker(new URL('./workers/messenger.ts', import.meta.url), profile)
    stack.defer(() => worker.stop())
    return worker
  }
  const [alice, bob] = [start(), start()]
  const open = (worker: WorkerProcess, name: string) =>
    worker.call<string>('open', { home: join(folder, name), relay, name })
  const links = { alice: await open(alice, 'alice'), bob: await open(bob, 'bob') }
  await bob.call('befriend', { link: links.alice })
  await alice.call('befriend', { link: links.bob })
  return { alice, bob }
}

/** Sends messages one by one and looks up when each was shown. */
async function sendRound({ alice, bob }: Pair, count: number, name: string): Promise<Sample> {
  const texts = Array.from({ length: count }, (_, index) => `${name} ${index} `)
  const sent = await alice.call<Sent[]>('send', { to: 'bob', texts })
  const shown = new Map((await bob.call<Shown[]>('shown')).map((one) => [one.text, one]))
  const latenciesMs = sent.map(({ text, atMs }) => (shown.get(text)?.atMs ?? Number.NaN) - atMs)
  if (latenciesMs.some(Number.isNaN)) throw new Error('a delivered message was not shown')
  const direct = [...shown.values()].filter(({ path }) => path === 'direct').length / count
  return { ...summary(latenciesMs), direct }
}

function summary(latenciesMs: readonly number[]): Pick<Sample, 'p50Ms' | 'p99Ms'> {
  return { p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) }
}

async function openEcho(
  folder: string,
  stack: AsyncDisposableStack
): Promise<(count: number) => Promise<Sample>> {
  const file = new URL('./workers/durable-echo.ts', import.meta.url)
  const [server, client] = [startWorker(file), startWorker(file)]
  stack.defer(() => server.stop())
  stack.defer(() => client.stop())
  const addresses = await server.call('serve', {
    path: join(folder, 'echo-server'),
    syncs: RECIPIENT_SYNCS
  })
  await client.call('open', { path: join(folder, 'echo-client'), addresses })
  return async (count) => {
    const latenciesMs = await client.call<number[]>('echo', { count, syncs: SENDER_SYNCS })
    return { ...summary(latenciesMs), direct: 1 }
  }
}

function reportAll(result: Rounds<Sample>, { report }: BenchmarkOptions): void {
  const reportOne = (name: string, of: 'p50Ms' | 'p99Ms', bar: Bar) => {
    const median = (side: string) => result.median(side, (sample) => sample[of])
    const reference = { name: 'plain echo with the same syncs', value: median('echo') }
    const value = median('kith') ?? Number.NaN
    report(figureOf({ name, value, unit: 'ms', reference, bar }, result))
  }
  reportOne('P1 direct message, p50', 'p50Ms', P50)
  reportOne('P1 direct message, p99', 'p99Ms', P99)
  const direct = result.median('kith', (sample) => sample.direct) ?? Number.NaN
  report(
    figureOf(
      { name: 'messages the direct path brought first', value: direct, unit: 'part' },
      result
    )
  )
}
