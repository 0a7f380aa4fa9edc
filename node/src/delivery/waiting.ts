// Envelopes of epochs that this device does not know yet: kept, bounded, until the commit or welcome that brings
// their keys has been taken.
import { SECOND_MS } from '@kith/protocols'
import { advance, ownerOf } from './intake.ts'
import { waitingDelete, waitingWrite } from './records.ts'
import type { IncomingEntry } from './state.ts'
import type { Turn } from './turn.ts'

/** A sender who could not be looked up is looked up again after this: it may be one's own relay that is slow. */
const POSTPONED_MS = 30 * SECOND_MS
/** More would let strangers fill the store; fewer would lose messages that overtook their commit. */
const WAITING_COUNT_MAX = 256
const WAITING_BYTES_MAX = 1_048_576

/** Keeps an envelope; beyond the limits the oldest goes. */
export function keepWaiting(turn: Turn, entry: IncomingEntry, postponed: boolean): void {
  const { envelope, id, path } = entry
  if (envelope === undefined || turn.state.waiting.some((kept) => kept.id === id)) return
  const kept = { local: turn.next('lastWaiting'), id, envelope, path, postponed }
  turn.write(waitingWrite(kept))
  let waiting = [...turn.state.waiting, kept]
  let bytes = waiting.reduce((sum, one) => sum + one.envelope.byteLength, 0)
  while (waiting.length > WAITING_COUNT_MAX || bytes > WAITING_BYTES_MAX) {
    const [oldest, ...rest] = waiting
    if (oldest === undefined) break
    turn.write(waitingDelete(oldest.local))
    bytes -= oldest.envelope.byteLength
    waiting = rest
  }
  turn.patch({ waiting })
}

/** Forgets a waiting envelope, here and on disk. */
export function dropWaiting(turn: Turn, local: number): void {
  turn.write(waitingDelete(local))
  turn.patch({ waiting: turn.state.waiting.filter((kept) => kept.local !== local) })
}

/** What was postponed is tried again in a while; until then nothing waits for it. */
export function tryLater(turn: Turn): void {
  const intake = turn.intake('waiting')
  if (intake.timer === true) return
  turn.setIntake('waiting', { ...intake, timer: true })
  turn.perform({ type: 'timer', delayMs: POSTPONED_MS, input: { type: 'try-postponed' } })
}

/** The time has come, or a relay that may know more is reachable. */
export function tryPostponed(turn: Turn): void {
  turn.setIntake('waiting', { ...turn.intake('waiting'), timer: false })
  release(turn, true)
}

/** Envelopes whose epoch has become known are opened as if they came now. */
export function releaseWaiting(turn: Turn): void {
  release(turn, false)
}

function release(turn: Turn, withPostponed: boolean): void {
  const intake = turn.intake('waiting')
  const queued = new Set(intake.pending.map(({ waiting }) => waiting))
  const ready = turn.state.waiting
    .filter(({ local }) => !queued.has(local))
    .filter((kept) => (withPostponed && kept.postponed) || ownerOf(turn, kept) !== undefined)
    .map(
      ({ local, id, envelope, path }): IncomingEntry => ({
        number: 0,
        id,
        envelope,
        path,
        waiting: local,
        request: undefined,
        cursor: undefined
      })
    )
  if (ready.length === 0) return
  turn.setIntake('waiting', { ...intake, pending: [...intake.pending, ...ready] })
  advance(turn)
}

/** The entries at the front could not be examined now; they are tried again, in order. After a restart: what
 * waited for an epoch that had become known, but was not opened yet. */
export function openAgain(turn: Turn): void {
  turn.patch({ opening: undefined })
  release(turn, true)
  advance(turn)
}
