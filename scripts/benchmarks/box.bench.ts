// The relay's box: what forwarding costs (P3), how fast it accepts durably (P4), and how soon (P5), each against
// its references in the same interleaved rounds. Figures without a bar explain those with one.
import { BODY_BYTES } from './body.ts'
import { type Stage, setUp, warmUp } from './box-stage.ts'
import type { Load, LoadResult } from './measure/load.ts'
import { interleave, type Rounds, type Side } from './measure/rounds.ts'
import { cpuSecondsOf } from './processes.ts'
import { type Bar, figureOf } from './report.ts'
import type { BenchmarkOptions, Subject } from './subject.ts'

/** P3: processor seconds of the relay per 1,000 messages. */
const FORWARD_CPU: Bar = { of: 'value', is: 'at most', limit: 0.15 }
/** P4. */
const ACCEPT_AS_NATS: Bar = { of: 'ratio', is: 'at least', limit: 1 }
const ACCEPT_AS_LEVEL: Bar = { of: 'ratio', is: 'at least', limit: 0.1 }
/** P5. */
const LATENCY_AS_NATS: Bar = { of: 'ratio', is: 'at most', limit: 2 }

/** P3 is measured in a steady stream of a busy relay, and with every message by itself, its worst case. */
const FORWARDING = [
  { name: 'P3 relay forwarding cost, 64 in flight', inFlight: 64, count: 5_000 },
  { name: 'P3 relay forwarding cost, 1 in flight', inFlight: 1, count: 2_000 }
] as const
/** A round of P4 stays under a third of the appends one peer may make in ten seconds (20,000). */
const ACCEPTANCE = {
  name: 'P4 durable acceptance, 256 in flight',
  inFlight: 256,
  count: 6_000
} as const
const LATENCY = {
  name: 'P5 durable acceptance, one in flight, p50',
  inFlight: 1,
  count: 1_000
} as const
const WARM_UP = { inFlight: 64, count: 10_000 } as const
const LEVEL_BATCH = 100
/** Records per message of the relay's side, so that both write for about as long, table flushes included. */
const LEVEL_RECORDS_FACTOR = 5
const QUICK_DIVISOR = 20

const NATS = 'NATS JetStream, sync always'

interface Sample {
  readonly perSecond: number
  readonly p50Ms: number
  /** Processor seconds of the process under test per 1,000 operations. */
  readonly cpuSeconds: number
}

export const subject: Subject = {
  summary: `P3, P4, P5: the relay with messages of ${BODY_BYTES} bytes against NATS, LevelDB, libp2p, XMPP`,
  async run(options) {
    await using stack = new AsyncDisposableStack()
    const stage = await setUp(options, stack)
    options.progress('warming up')
    await warmUp(stage, loadOf(WARM_UP, options))
    for (const part of FORWARDING) {
      if (options.wants(part.name)) await measureForwarding(stage, part, options)
    }
    if (options.wants(ACCEPTANCE.name)) await measureAcceptance(stage, options)
    if (options.wants(LATENCY.name)) await measureLatency(stage, options)
  }
}

function loadOf({ count, inFlight }: Load, { quick }: BenchmarkOptions): Load {
  return { count: quick ? Math.ceil(count / QUICK_DIVISOR) : count, inFlight }
}

/** A side whose process has its processor time read around each load. */
function side(
  name: string,
  load: Load,
  process: { readonly pid: number; readonly run: (load: Load) => Promise<LoadResult> }
): Side<Sample> {
  return {
    name,
    async measure() {
      const before = cpuSecondsOf(process.pid)
      const { perSecond, p50Ms } = await process.run(load)
      const used = cpuSecondsOf(process.pid) - before
      return { perSecond, p50Ms, cpuSeconds: (used * 1000) / load.count }
    }
  }
}

async function measureForwarding(
  stage: Stage,
  part: Load & { readonly name: string },
  options: BenchmarkOptions
): Promise<void> {
  const load = loadOf(part, options)
  const { relay, forwarding, plain, ejabberd, prosody } = stage
  const sides = [
    side('relay', load, { pid: relay.pid, run: forwarding.forward }),
    side('plain libp2p', load, { pid: plain.server.pid, run: plain.forward })
  ]
  for (const [name, server] of Object.entries({ ejabberd, prosody })) {
    if (server !== undefined) {
      sides.push(side(name, load, { pid: server.pid, run: server.forward }))
    }
  }
  const report = reporter(await interleave(sides, options), options)
  const cpu = { name: part.name, unit: 'CPU s/1,000', of: 'cpuSeconds', bar: FORWARD_CPU } as const
  report({ ...cpu, side: 'plain libp2p' })
  report({ ...cpu, side: 'ejabberd', note: stage.notes.ejabberd })
  report({ ...cpu, side: 'prosody', note: stage.notes.prosody })
  // Explains P2, which has the same stops and adds the messenger.
  const name = `relay delivery p50, ${part.inFlight} in flight`
  report({ name, unit: 'ms', of: 'p50Ms', side: 'prosody', note: stage.notes.prosody })
}

async function measureAcceptance(stage: Stage, options: BenchmarkOptions): Promise<void> {
  const { relay, sending, nats, level, notes } = stage
  const load = loadOf(ACCEPTANCE, options)
  const levelName = `LevelDB sync batches of ${LEVEL_BATCH}`
  const sides = [
    side('relay', load, { pid: relay.pid, run: sending.accept }),
    side(levelName, load, {
      pid: level.pid,
      run: ({ count }) => level.batches({ count: count * LEVEL_RECORDS_FACTOR, batch: LEVEL_BATCH })
    })
  ]
  if (nats !== undefined) sides.push(side(NATS, load, { pid: nats.pid, run: nats.accept }))
  const report = reporter(await interleave(sides, options), options)
  const rate = { name: ACCEPTANCE.name, unit: 'messages/s', of: 'perSecond' } as const
  report({ ...rate, side: NATS, bar: ACCEPT_AS_NATS, note: notes.NATS })
  report({ ...rate, side: levelName, bar: ACCEPT_AS_LEVEL })
  // Explains P4: where the processor is the limit and not the disk.
  const name = `relay acceptance cost, ${ACCEPTANCE.inFlight} in flight`
  report({ name, unit: 'CPU s/1,000', of: 'cpuSeconds', side: NATS, note: notes.NATS })
}

async function measureLatency(stage: Stage, options: BenchmarkOptions): Promise<void> {
  const { relay, sending, nats, notes } = stage
  const load = loadOf(LATENCY, options)
  const sides = [side('relay', load, { pid: relay.pid, run: sending.accept })]
  if (nats !== undefined) sides.push(side(NATS, load, { pid: nats.pid, run: nats.accept }))
  const report = reporter(await interleave(sides, options), options)
  report({
    name: LATENCY.name,
    unit: 'ms',
    of: 'p50Ms',
    side: NATS,
    bar: LATENCY_AS_NATS,
    note: notes.NATS
  })
}

/** Reports one value of the relay beside the same value of another side of these rounds. */
function reporter(result: Rounds<Sample>, options: BenchmarkOptions) {
  return (figure: {
    readonly name: string
    readonly unit: string
    readonly of: keyof Sample
    readonly side: string
    readonly bar?: Bar
    readonly note?: string | undefined
  }): void => {
    const { name, unit, of, side: reference, bar, note } = figure
    const median = (side: string) => result.median(side, (sample) => sample[of])
    options.report(
      figureOf(
        {
          name,
          unit,
          value: median('relay') ?? Number.NaN,
          reference: { name: reference, value: median(reference) },
          ...(bar === undefined ? {} : { bar }),
          note
        },
        result
      )
    )
  }
}
