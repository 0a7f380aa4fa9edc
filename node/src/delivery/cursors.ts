// How far a relay's log is durably taken: written with what its entries brought, or a little later when they brought
// nothing, so that what comes a second time costs no write of its own.
import type { RelayId } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Cursor } from './state.ts'
import type { Turn } from './turn.ts'

/** Entries that a cursor on disk may be behind, and for how long: a few kilobytes read twice after a crash. */
const CURSOR_LAG_MAX = 32
const CURSOR_LAG_MS = 500

/** Moves a cursor past entries of which the last left it there. Without news (all were held already) it may wait. */
export function cursorAfter(turn: Turn, cursor: Cursor, isNews: boolean): void {
  if (isNews || !mayWait(turn, cursor)) moveCursor(turn, cursor)
  else moveLater(turn, cursor)
}

/**
 * What is held already (own messages, and what came directly first) needs no write of its own: a cursor that is
 * behind after a crash costs reading a few entries again. While the device runs it goes on from where it is, so that a
 * relay that went back is noticed; after a crash, by the places of what waits in the outbox.
 */
function mayWait(turn: Turn, { relay, storeEpoch, number }: Cursor): boolean {
  const held = turn.state.cursors.get(relay)
  if (held === undefined || !equals(held.storeEpoch, storeEpoch)) return false
  return number - held.number <= CURSOR_LAG_MAX && turn.intake(relay).pending.length === 0
}

function moveLater(turn: Turn, cursor: Cursor): void {
  const { relay } = cursor
  const intake = turn.intake(relay)
  turn.setIntake(relay, { ...intake, taken: cursor, timer: true })
  if (intake.timer === true) return
  turn.perform({ type: 'timer', delayMs: CURSOR_LAG_MS, input: { type: 'cursor-due', relay } })
}

/** A cursor that waited for something to be written with: nothing came. */
export function cursorDue(turn: Turn, relay: RelayId): void {
  const intake = turn.intake(relay)
  turn.setIntake(relay, { ...intake, timer: false })
  const { taken: cursor, pending } = intake
  const held = turn.state.cursors.get(relay)
  if (cursor === undefined || held === undefined || pending.length > 0) return
  const isBehind = equals(cursor.storeEpoch, held.storeEpoch) && held.number < cursor.number
  if (isBehind) moveCursor(turn, cursor)
}

function moveCursor(turn: Turn, cursor: Cursor): void {
  const { relay, storeEpoch, number } = cursor
  turn.setIntake(relay, { ...turn.intake(relay), taken: undefined })
  turn.setCursor(cursor)
  turn.whenDurable({ type: 'acknowledge', relay, storeEpoch, number })
}
