// Every process the box benchmark compares: the relay with two pairs of devices, and the references that can be
// had on this machine.
import type { Load } from './measure/load.ts'
import { startEjabberd } from './references/ejabberd.ts'
import { type LevelReference, startLevel } from './references/leveldb.ts'
import { type NatsReference, startNats } from './references/nats.ts'
import { type PlainReference, startPlain } from './references/plain.ts'
import { startProsody } from './references/prosody.ts'
import type { XmppReference } from './references/xmpp.ts'
import { type DevicePair, type RelayProcess, startDevices, startRelay } from './relay-process.ts'
import type { BenchmarkOptions } from './subject.ts'

/** References that could not be had are undefined; `notes` says why, by name. */
export interface Stage {
  readonly relay: RelayProcess
  /** Nobody is subscribed. */
  readonly sending: DevicePair
  /** Both are subscribed. */
  readonly forwarding: DevicePair
  readonly plain: PlainReference
  readonly level: LevelReference
  readonly nats: NatsReference | undefined
  readonly ejabberd: XmppReference | undefined
  readonly prosody: XmppReference | undefined
  readonly notes: Notes
}

export type Notes = Partial<Record<'NATS' | 'ejabberd' | 'prosody', string>>

interface Part {
  stop(): Promise<void>
}

/** Starts everything; the stack stops it in reverse. */
export async function setUp(
  options: BenchmarkOptions,
  stack: AsyncDisposableStack
): Promise<Stage> {
  const { folder, progress } = options
  const notes: Notes = {}
  const keep = <Kept extends Part>(part: Kept): Kept => {
    stack.defer(() => part.stop())
    return part
  }
  const optional = async <Kept extends Part>(
    name: keyof Notes,
    start: (folder: string) => Promise<Kept>
  ): Promise<Kept | undefined> => {
    progress(`starting ${name}`)
    try {
      return keep(await start(folder))
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
      const note = `${name} could not be had here: ${line}`
      notes[name] = note
      progress(note)
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

/**
 * Compilation is no cost of a message of a server that runs for months: each side works before it is measured, for
 * as long as V8 takes to settle (the relay's cost still falls by a third between 3,000 and 10,000 messages).
 */
export async function warmUp(stage: Stage, load: Load): Promise<void> {
  await stage.forwarding.forward(load)
  await stage.sending.accept(load)
  await stage.plain.forward(load)
  await stage.ejabberd?.forward(load)
  await stage.prosody?.forward(load)
  await stage.nats?.accept(load)
}
