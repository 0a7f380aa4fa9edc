// What relays said they kept, and what they showed to other devices of the account, held against what their logs show
// here: an append is answered with its number in the own box, so the entry of that number has to be it, and a log has
// one chain value at one number, whoever reads it. A relay that only says so is found out, and gets the bytes again.
import type { box, RelayId } from '@kith/protocols'
import { messageIdOf, SECOND_MS } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Cursor, OutboxEntry, Place, PromisedEntry, RelayWatch, ShownHead } from './state.ts'
import type { Turn } from './turn.ts'

/** Latest entries of a log that are remembered: an answer may come after its entry by what a window holds. */
const RECENT_MAX = 1_024
/** A log that does not move for this many rounds of this length will not show what it lacks. */
const ROUND_MS = 30 * SECOND_MS
const ROUNDS_MAX = 3
/** Heads of other devices that wait for this log to reach them: one a minute of each device, for hours. */
const HEADS_MAX = 64

const NOT_SHOWN = 'it does not show what it said it kept'
const KEPT_BACK = 'it does not show here what it showed to another of your devices'
const ANOTHER_LOG = 'it shows another log to another of your devices'

/** Nothing promised, nothing shown yet. */
export function newWatch(): RelayWatch {
  return {
    promised: new Map(),
    recent: new Map(),
    heads: new Map(),
    stillRounds: 0,
    hasTimer: false
  }
}

/** Where the relay said an entry is; what is wrong with that, when the log shows another there. */
export function promise(turn: Turn, place: Place, promised: PromisedEntry): string | undefined {
  const intake = turn.intake(place.relay)
  const log = intake.cursor ?? turn.state.cursors.get(place.relay)
  // Another life of its store: its log will be read from the beginning, and everything offered again.
  if (log === undefined || !equals(log.storeEpoch, place.storeEpoch)) return undefined
  const watch = watchOf(turn, place.relay)
  if (place.number > log.number) {
    watch.promised.set(place.number, promised)
    startTimer(turn, place.relay, watch)
    return undefined
  }
  const shown = watch.recent.get(place.number)
  if (shown === undefined || shown === promised.id) return undefined
  return 'it lists another message where it said it kept one'
}

/** Whether a relay that said it kept an entry has yet to show it: until then other own devices may never get it. */
export function isAwaited(turn: Turn, { local, places = [] }: OutboxEntry): boolean {
  return places.some(
    ({ relay, number }) => turn.intake(relay).watch?.promised.get(number)?.local === local
  )
}

/** A head that a relay signed and another own device was shown; what is wrong when this log has come that far already. */
export function promiseHead(turn: Turn, head: ShownHead): string | undefined {
  const { relay, storeEpoch, number, chain } = head
  const log = turn.intake(relay).cursor ?? turn.state.cursors.get(relay)
  // Another life of its store: one of the two devices has not come to it yet.
  if (log === undefined || !equals(log.storeEpoch, storeEpoch)) return undefined
  // The other device holds this log's heads against its own.
  if (number < log.number) return undefined
  if (number === log.number) return equals(chain, log.chain) ? undefined : ANOTHER_LOG
  const watch = watchOf(turn, relay)
  const [oldest] = watch.heads.keys()
  if (watch.heads.size >= HEADS_MAX && oldest !== undefined) watch.heads.delete(oldest)
  watch.heads.set(number, chain)
  startTimer(turn, relay, watch)
  return undefined
}

/** What is wrong with a log that comes to where another own device was shown a head. */
export function headFault(watch: RelayWatch, { number, chain }: Cursor): string | undefined {
  const expected = watch.heads.get(number)
  watch.heads.delete(number)
  return expected === undefined || equals(expected, chain) ? undefined : ANOTHER_LOG
}

/** Follows one entry of a log; whether it is what was promised, or shown before, at its number. */
export function keepsPromise(watch: RelayWatch, { number, envelopeId }: box.Entry): boolean {
  const id = messageIdOf(envelopeId)
  const expected = watch.promised.get(number)?.id ?? watch.recent.get(number)
  watch.promised.delete(number)
  watch.recent.set(number, id)
  watch.stillRounds = 0
  const [oldest] = watch.recent.keys()
  if (watch.recent.size > RECENT_MAX && oldest !== undefined) watch.recent.delete(oldest)
  return expected === undefined || expected === id
}

/** Of this log as it is followed now; made when there is none. */
export function watchOf(turn: Turn, relay: RelayId): RelayWatch {
  const intake = turn.intake(relay)
  if (intake.watch !== undefined) return intake.watch
  const watch = newWatch()
  turn.setIntake(relay, { ...intake, watch })
  return watch
}

/** A session has begun: what was promised before has to show in it. */
export function watchAgain(turn: Turn, relay: RelayId): void {
  const { watch } = turn.intake(relay)
  if (watch !== undefined && owes(watch)) startTimer(turn, relay, watch)
}

function owes({ promised, heads }: RelayWatch): boolean {
  return promised.size > 0 || heads.size > 0
}

/** A round has passed; what is wrong with a log that stands still although it lacks what it has to show. */
export function overdue(turn: Turn, relay: RelayId): string | undefined {
  const { watch, pending } = turn.intake(relay)
  if (watch === undefined) return undefined
  watch.hasTimer = false
  if (!owes(watch)) return undefined
  // Who has not taken what was sent gets no more: that is not the relay's doing.
  const isWaiting = turn.state.online.has(relay) && pending.length === 0
  watch.stillRounds = isWaiting ? watch.stillRounds + 1 : 0
  if (watch.stillRounds >= ROUNDS_MAX) {
    return watch.promised.size > 0 ? NOT_SHOWN : KEPT_BACK
  }
  startTimer(turn, relay, watch)
  return undefined
}

function startTimer(turn: Turn, relay: RelayId, watch: RelayWatch): void {
  if (watch.hasTimer) return
  watch.hasTimer = true
  turn.perform({ type: 'timer', delayMs: ROUND_MS, input: { type: 'promises-due', relay } })
}

/** What is still promised after a restart: places behind the cursors. */
export function promisedBefore(
  outbox: ReadonlyMap<number, OutboxEntry>,
  cursors: ReadonlyMap<RelayId, Cursor>
): ReadonlyMap<RelayId, RelayWatch> {
  const watches = new Map<RelayId, RelayWatch>()
  for (const { sealed, local, places = [] } of outbox.values()) {
    for (const { relay, storeEpoch, number } of places) {
      const cursor = cursors.get(relay)
      const isAhead =
        cursor !== undefined && equals(cursor.storeEpoch, storeEpoch) && number > cursor.number
      if (sealed === undefined || !isAhead) continue
      const watch = watches.get(relay) ?? newWatch()
      watch.promised.set(number, { id: sealed.id, local })
      watches.set(relay, watch)
    }
  }
  return watches
}
