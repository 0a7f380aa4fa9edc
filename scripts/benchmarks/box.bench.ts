// The relay's box: what forwarding costs (P3), how fast it accepts durably (P4), and how soon (P5), each against
// its references in the same interleaved rounds.
import { BODY_BYTES } from './body.ts'
import type { Load, LoadResult } from './measure/load.ts'
import { interleave, type Rounds, type Side } from './measure/rounds.ts'
import { cpuSecondsOf } from './processes.ts'
import { startEjabberd } from './references/ejabberd.ts'
import { type LevelReference, startLevel } from './references/leveldb.ts'
import { type NatsReference, startNats } from './references/nats.ts'
import { type PlainReference, startPlain } from './references/plain.ts'
import { startProsody } from './references/prosody.ts'
import type { XmppReference } from './references/xmpp.ts'
import { type DevicePair, type RelayProcess, startDevices, startRelay } from './relay-process.ts'
import { figureOf } from './report.ts'
import type { BenchmarkOptions, Subject } from './subject.ts'

/** P3: processor seconds of the relay per 1,000 messages. */
const FORWARD_CPU_SECONDS_MAX = 0.15
/** P3 is measured in a steady stream of a busy relay, and with every message by itself, its worst case. */
const FORWARD_IN_FLIGHT = [64, 1] as const
const ACCEPT_IN_FLIGHT = 256
const LEVEL_BATCH = 100
/** A round of P4 stays under a third of the appends one peer may make in ten seconds (20,000). */
const ACCEPT_COUNT = 6_000
const QUICK_DIVISOR = 20

const forwardingName = (inFlight: number) => `P3 relay forwarding cost, ${inFlight} in flight`
const ACCEPTANCE = `P4 durable acceptance, ${ACCEPT_IN_FLIGHT} in flight`
const LATENCY = 'P5 durable acceptance, one in flight, p50'

interface Forwarding extends LoadResult {
  readonly cpuSecondsPerThousand: number
}

/** Every process of the benchmark. References that could not be had are undefined, with a note why. */
interface Stage {
  readonly relay: RelayProcess
  readonly sending: DevicePair
  readonly forwarding: DevicePair
  readonly plain: PlainReference
  readonly level: LevelReference
  readonly nats: NatsReference | undefined
  readonly ejabberd: XmppReference | undefined
  readonly prosody: XmppReference | undefined
  readonly notes: Notes
}

/** Why a reference is missing, by its name. */
type Notes = Partial<Record<'NATS' | 'ejabberd' | 'prosody', string>>

export const subject: Subject = {
  summary: `P3, P4, P5: the relay with messages of ${BODY_BYTES} bytes against NATS, LevelDB, libp2p, prosody`,
  async run(options) {
    await using stack = new AsyncDisposableStack()
    const stage = await setUp(options, stack)
    await warmUp(stage, options)
    for (const inFlight of FORWARD_IN_FLIGHT) {
      if (options.wants(forwardingName(inFlight))) await measureForwarding(stage, inFlight, options)
    }
    if (options.wants(ACCEPTANCE)) await measureAcceptance(stage, options)
    if (options.wants(LATENCY)) await measureLatency(stage, options)
  }
}

async function setUp(options: BenchmarkOptions, stack: AsyncDisposableStack): Promise<Stage> {
  const { folder, progress } = options
  const notes: Notes = {}
  const keep = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    stack.defer(() => part.stop())
    return part
  }
  const optional = async <Part extends { stop(): Promise<void> }>(
    name: keyof Notes,
    start: (folder: string) => Promise<Part>
  ): Promise<Part | undefined> => {
    progress(`starting ${name}`)
    try {
      return keep(await start(folder))
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
      notes[name] = `${name} could not be had here: ${line}`
      progress(notes[name])
      return undefined
    }
  }
  const nats = await optional('NATS', startNats)
  const ejabberd = await optional('ejabberd', startEjabberd)
  const prosody = await optional('prosody', startProsody)
  const plain = keep(await startPlain())
  const level = keep(await startLevel(folder))
  progress('starting the relay')
  const relay = keep(await startRelay(folder, options.profileFolder))
  const sending = keep(await startDevices(relay, false))
  const forwarding = keep(await startDevices(relay, true))
  return { relay, sending, forwarding, plain, level, nats, ejabberd, prosody, notes }
}

function loadOf(count: number, inFlight: number, { quick }: BenchmarkOptions): Load {
  return { count: quick ? Math.ceil(count / QUICK_DIVISOR) : count, inFlight }
}

/** Compilation is no cost of a message: each side works once before it is measured. */
async function warmUp(stage: Stage, options: BenchmarkOptions): Promise<void> {
  options.progress('warming up')
  const load = loadOf(2_000, 64, options)
  await stage.forwarding.forward(load)
  await stage.sending.accept(load)
  await stage.plain.forward(load)
  await stage.ejabberd?.forward(load)
  await stage.prosody?.forward(load)
  await stage.nats?.accept(load)
}

async function measureForwarding(
  stage: Stage,
  inFlight: number,
  options: BenchmarkOptions
): Promise<void> {
  const load = loadOf(inFlight === 1 ? 2_000 : 5_000, inFlight, options)
  const side = (
    name: string,
    pid: number,
    forward: (load: Load) => Promise<LoadResult>
  ): Side<Forwarding> => ({
    name,
    async measure() {
      const before = cpuSecondsOf(pid)
      const result = await forward(load)
      const used = cpuSecondsOf(pid) - before
      return { ...result, cpuSecondsPerThousand: (used * 1000) / load.count }
    }
  })
  const { relay, forwarding, plain, ejabberd, prosody } = stage
  const sides = [
    side('relay', relay.pid, forwarding.forward),
    side('plain libp2p', plain.server.pid, plain.forward)
  ]
  if (ejabberd !== undefined) sides.push(side('ejabberd', ejabberd.pid, ejabberd.forward))
  if (prosody !== undefined) sides.push(side('prosody', prosody.pid, prosody.forward))
  const result = await interleave(sides, options)
  const cpu = (name: string) => result.median(name, (sample) => sample.cpuSecondsPerThousand)
  for (const name of ['plain libp2p', 'ejabberd', 'prosody'] as const) {
    options.report(
      figureOf(
        {
          name: forwardingName(inFlight),
          value: cpu('relay') ?? Number.NaN,
          unit: 'CPU s/1,000',
          reference: { name, value: cpu(name) },
          bar: { of: 'value', is: 'at most', limit: FORWARD_CPU_SECONDS_MAX },
          note: name === 'plain libp2p' ? undefined : stage.notes[name]
        },
        result
      )
    )
  }
}

async function measureAcceptance(stage: Stage, options: BenchmarkOptions): Promise<void> {
  const { sending, nats, level } = stage
  const load = loadOf(ACCEPT_COUNT, ACCEPT_IN_FLIGHT, options)
  const sides: Side<{ perSecond: number }>[] = [
    { name: 'relay', measure: () => sending.accept(load) },
    {
      name: 'LevelDB',
      measure: () => level.batches({ count: load.count, batch: LEVEL_BATCH })
    }
  ]
  if (nats !== undefined) sides.push({ name: 'NATS', measure: () => nats.accept(load) })
  const result = await interleave(sides, options)
  const rate = (name: string) => result.median(name, (sample) => sample.perSecond)
  const measured = (name: string, value: number | undefined, limit: number, note?: string) =>
    options.report(
      figureOf(
        {
          name: ACCEPTANCE,
          value: rate('relay') ?? Number.NaN,
          unit: 'messages/s',
          reference: { name, value },
          bar: { of: 'ratio', is: 'at least', limit },
          note
        },
        result
      )
    )
  measured('NATS JetStream, sync always', rate('NATS'), 1, stage.notes.NATS)
  measured(`LevelDB sync batches of ${LEVEL_BATCH}`, rate('LevelDB'), 0.1)
}

async function measureLatency(stage: Stage, options: BenchmarkOptions): Promise<void> {
  const { sending, nats } = stage
  const load = loadOf(1_000, 1, options)
  const sides: Side<LoadResult>[] = [{ name: 'relay', measure: () => sending.accept(load) }]
  if (nats !== undefined) sides.push({ name: 'NATS', measure: () => nats.accept(load) })
  const result: Rounds<LoadResult> = await interleave(sides, options)
  options.report(
    figureOf(
      {
        name: LATENCY,
        value: result.median('relay', (sample) => sample.p50Ms) ?? Number.NaN,
        unit: 'ms',
        reference: {
          name: 'NATS JetStream, sync always',
          value: result.median('NATS', (sample) => sample.p50Ms)
        },
        bar: { of: 'ratio', is: 'at most', limit: 2 },
        note: stage.notes.NATS
      },
      result
    )
  )
}
