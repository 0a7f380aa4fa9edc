// The inbox's decisions: entries are taken in the order of the log, opened, checked against what their epoch
// allows, and stored with duplicate mark and cursor in one transaction; only then acknowledged.
import {
  type box,
  box as boxes,
  HASH_BYTES,
  idBytes,
  messageIdOf,
  type RelayId
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { cursorAfter } from './cursors.ts'
import type { Input, Opened } from './inputs.ts'
import { advance, ownerOf } from './intake.ts'
import { joined } from './joining.ts'
import { lookLater } from './missed.ts'
import * as progress from './progress.ts'
import {
  headFault,
  keepsPromise,
  newWatch,
  overdue,
  promise,
  promiseHead,
  watchOf
} from './promises.ts'
import { openReceipts } from './receipts.ts'
import { receive } from './receive.ts'
import { cursorLocal } from './records.ts'
import type { Cursor, IncomingEntry, Intake, RelayWatch, Source } from './state.ts'
import type { Turn } from './turn.ts'
import { dropWaiting, keepWaiting, tryLater } from './waiting.ts'

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** Envelopes from devices that wait to be opened. More would let peers hold memory; fewer would refuse a burst. */
const DIRECT_PENDING_MAX = 1_024

/** Takes what a relay pushed: follows its chain, queues the entries, opens as many as may be opened now. */
export function item(turn: Turn, { relay, item }: Of<'item'>): void {
  const intake = follow(turn, relay, item)
  // A box that was never written to has no head to sign.
  const head = item.head?.head === undefined ? undefined : item.head
  if (intake === undefined) {
    const { storeEpoch } = item
    if (head !== undefined)
      turn.perform({ type: 'check-head', relay, head, storeEpoch, isRefused: true })
    return
  }
  turn.setIntake(relay, intake)
  if (head !== undefined) checkHead(turn, relay, item, head, intake)
  openReceipts(turn, relay, item.slots)
  if (intake.pending.length === 0) giveCredit(turn, relay, item)
  advance(turn)
}

/** Nothing of it waits to be written down, so its credit goes back now: else slots alone would use up all. */
function giveCredit(turn: Turn, relay: RelayId, { storeEpoch }: box.SubscribeItem): void {
  const number = turn.state.cursors.get(relay)?.number ?? 0
  turn.whenDurable({ type: 'acknowledge', relay, storeEpoch, number })
}

/** A home says that it holds an entry; its log has to show it. */
export function accepted(turn: Turn, input: Of<'accepted'>): void {
  const { local, place, relay } = input
  const sealed = turn.state.outbox.get(local)?.sealed
  const fault =
    place === undefined || sealed === undefined
      ? undefined
      : promise(turn, place, { id: sealed.id, local })
  if (fault === undefined) progress.accepted(turn, input)
  else distrust(turn, relay, fault)
}

/** A log that does not show what its relay said it kept. */
export function promisesDue(turn: Turn, relay: RelayId): void {
  const fault = overdue(turn, relay)
  if (fault !== undefined) distrust(turn, relay, fault)
}

/** Another own device was shown this head: the log has to come to it here as well. */
export function shownElsewhere(turn: Turn, input: Of<'shown-elsewhere'>): void {
  const fault = promiseHead(turn, input)
  if (fault !== undefined) distrust(turn, input.relay, fault)
}

function follow(turn: Turn, relay: RelayId, item: box.SubscribeItem): Intake | undefined {
  let cursor = startOf(turn, relay, item.storeEpoch, turn.intake(relay))
  const watch = watchOf(turn, relay)
  const intake = turn.intake(relay)
  const pending: IncomingEntry[] = [...intake.pending]
  for (const entry of item.entries) {
    const promised = watch.promised.get(entry.number)
    const fault = faultOf(entry, cursor, turn) ?? brokenPromise(watch, entry)
    if (fault !== undefined) {
      distrust(turn, relay, fault)
      return undefined
    }
    if (promised !== undefined) progress.shown(turn, promised.local)
    const chain = boxes.chainNext(cursor.chain, entry.number, entry.envelopeId, turn.tools.sha256)
    cursor = { ...cursor, number: entry.number, chain }
    const parted = headFault(watch, cursor)
    if (parted !== undefined) {
      distrust(turn, relay, parted)
      return undefined
    }
    pending.push({
      number: entry.number,
      id: messageIdOf(entry.envelopeId),
      envelope: entry.envelope.byteLength === 0 ? undefined : entry.envelope,
      path: 'relay',
      waiting: undefined,
      request: undefined,
      cursor
    })
  }
  return { ...intake, pending, cursor }
}

function brokenPromise(watch: RelayWatch, entry: box.Entry): string | undefined {
  return keepsPromise(watch, entry)
    ? undefined
    : 'it lists another message where it said it kept one'
}

/** Why an entry cannot be what follows in the log; undefined when it can. */
function faultOf(entry: box.Entry, { number }: Cursor, { tools }: Turn): string | undefined {
  if (entry.number !== number + 1) return 'its log has a hole'
  if (entry.envelopeId.byteLength !== HASH_BYTES) return 'its log names no message'
  if (entry.envelope.byteLength === 0) return undefined
  const isWhole = equals(tools.sha256(entry.envelope), entry.envelopeId)
  return isWhole ? undefined : 'a message is not the one its log names'
}

/** Where the log stands before this item: after what is pending, at the cursor, or at the start of a new store. */
function startOf(turn: Turn, relay: RelayId, storeEpoch: Uint8Array, intake: Intake): Cursor {
  const held = intake.cursor ?? turn.state.cursors.get(relay)
  if (held !== undefined && equals(held.storeEpoch, storeEpoch)) return held
  turn.setIntake(relay, { ...turn.intake(relay), taken: undefined, watch: newWatch() })
  progress.offerAgain(turn, relay)
  return beginningOf(turn, relay, storeEpoch)
}

function beginningOf(turn: Turn, relay: RelayId, storeEpoch: Uint8Array): Cursor {
  return {
    relay,
    local: turn.state.cursors.get(relay)?.local ?? cursorLocal(turn.state.cursors),
    storeEpoch,
    number: 0,
    chain: boxes.chainStart(storeEpoch, idBytes(turn.state.self.account), turn.tools.sha256)
  }
}

function checkHead(
  turn: Turn,
  relay: RelayId,
  item: box.SubscribeItem,
  head: box.SignedHead,
  { cursor }: Intake
): void {
  const agrees =
    cursor !== undefined &&
    head.head !== undefined &&
    equals(head.head.box, idBytes(turn.state.self.account)) &&
    head.head.number === cursor.number &&
    equals(head.head.chain, cursor.chain)
  const { storeEpoch } = item
  turn.perform({ type: 'check-head', relay, head, storeEpoch, isRefused: !agrees })
  if (!agrees) distrust(turn, relay, 'its signed head does not match its log')
}

/**
 * Ends the session with a relay that contradicts itself. What it delivered was authenticated by its authors, but
 * some of it may be missing, and what it accepted may be gone (so it is after a backup was put back): its log is
 * read again from the beginning, where what is held is known by its mark, and the outbox is offered again.
 */
function distrust(turn: Turn, relay: RelayId, reason: string): void {
  turn.perform({ type: 'distrust', relay, reason })
  const { opening } = turn.state
  const intake = turn.intake(relay)
  const held = intake.cursor ?? turn.state.cursors.get(relay)
  if (held === undefined) return
  const cursor = beginningOf(turn, relay, held.storeEpoch)
  const pending = intake.pending
    .slice(0, opening?.source === relay ? opening.count : 0)
    .map((entry) => ({ ...entry, cursor: undefined }))
  turn.setCursor(cursor)
  turn.setIntake(relay, { ...intake, pending, cursor, taken: undefined, watch: newWatch() })
  progress.offerAgain(turn, relay)
}

/** Stores what was opened, moves the cursor past it, and acknowledges once that is on disk. */
export function opened(turn: Turn, { source, results }: Of<'opened'>): void {
  const count = turn.state.opening?.count ?? 0
  const entries = turn.intake(source).pending.slice(0, count)
  const depths = new Map<string, number>()
  for (const [index, entry] of entries.entries()) {
    const result = results[index]
    if (result !== undefined) settle(turn, { source, entry, result, depths })
    if (entry.waiting !== undefined && result?.type !== 'unknown-tag') {
      dropWaiting(turn, entry.waiting)
    }
    if (entry.request !== undefined) {
      answer(turn, entry.request, {
        source,
        entry,
        result: result ?? { type: 'unreadable' },
        depths
      })
    }
  }
  const cursor = entries.at(-1)?.cursor
  const intake = turn.intake(source)
  turn.setIntake(source, { ...intake, pending: intake.pending.slice(entries.length) })
  const isNews = results.some(({ type }) => type !== 'duplicate')
  if (cursor !== undefined) cursorAfter(turn, cursor, isNews)
  turn.patch({ opening: undefined })
  const withheld = entries.filter((_, index) => results[index]?.type === 'skipped')
  if (cursor !== undefined) noteWithheld(turn, cursor.relay, withheld)
  advance(turn)
}

/** A body that is not there may come when the log is read again: once, since it may be gone for good. */
function noteWithheld(turn: Turn, relay: RelayId, entries: readonly IncomingEntry[]): void {
  const intake = turn.intake(relay)
  const known = intake.withheld ?? new Set()
  const fresh = entries.map(({ number }) => number).filter((number) => !known.has(number))
  if (fresh.length === 0) return
  turn.setIntake(relay, { ...intake, withheld: new Set([...known, ...fresh]) })
  distrust(turn, relay, 'it holds back what it lists')
}

interface Settling {
  readonly source: Source
  readonly entry: IncomingEntry
  readonly result: Opened
  /** Depths of messages of this very batch, which the store does not know yet. */
  readonly depths: Map<string, number>
}

function settle(turn: Turn, { source, entry, result, depths }: Settling): void {
  if (result.type === 'message') {
    const owner = ownerOf(turn, entry)
    if (owner !== undefined && !depths.has(entry.id))
      receive(turn, { entry, result, owner, depths })
  }
  if (result.type === 'joined') {
    turn.write({ type: 'mark', id: entry.id, depth: 0 })
    joined(turn, result)
  }
  if (result.type === 'refused') {
    turn.write({ type: 'mark', id: entry.id, depth: 0 })
    turn.log({ type: 'notice', text: result.reason })
  }
  if (result.type === 'unknown-tag') {
    const postponed = result.postponed === true
    if (source !== 'waiting') keepWaiting(turn, entry, postponed)
    if (postponed) tryLater(turn)
    else lookLater(turn)
  }
}

/** Envelopes that a device brought: taken like any other, answered one by one once they are on disk. */
export function deliver(turn: Turn, { request, envelopes }: Of<'deliver'>): void {
  const intake = turn.intake('direct')
  const room = DIRECT_PENDING_MAX - intake.pending.length
  const taken = envelopes.slice(0, Math.max(0, room)).map(
    ({ id, envelope }): IncomingEntry => ({
      number: 0,
      id,
      envelope,
      path: 'direct',
      waiting: undefined,
      request,
      cursor: undefined
    })
  )
  for (const { id } of envelopes.slice(taken.length)) {
    turn.perform({ type: 'answer', request, id, held: false })
  }
  turn.setIntake('direct', { ...intake, pending: [...intake.pending, ...taken] })
  advance(turn)
}

/** A message that was refused is not held, whatever opened. */
function answer(turn: Turn, request: number, { entry, result, depths }: Settling): void {
  const { id } = entry
  const held =
    result.type === 'message' ? depths.has(id) : ['duplicate', 'joined'].includes(result.type)
  turn.whenDurable({ type: 'answer', request, id, held })
}
