// The inbox's decisions: entries are taken in the order of the log, opened, checked against what their epoch
// allows, and stored with duplicate mark and cursor in one transaction; only then acknowledged.
import {
  type box,
  box as boxes,
  decodeBounded,
  direct,
  envelope,
  idBytes,
  messageIdOf,
  type RelayId
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { toString as toText } from 'uint8arrays/to-string'
import { introduce, offerAgain, pump } from './outbox.ts'
import { scheduleReceipt } from './receipts.ts'
import { receive } from './receive.ts'
import { cursorLocal, waitingDelete, waitingWrite } from './records.ts'
import type {
  Cursor,
  IncomingEntry,
  Input,
  Intake,
  Opened,
  OpenRequest,
  Source,
  TagOwner
} from './state.ts'
import type { Turn } from './turn.ts'

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** Opened in one go: enough to amortise a commit, little enough to stay responsive. */
const OPEN_COUNT_MAX = 256

/** Envelopes whose epoch is not known yet. More would let strangers fill the store; fewer would lose messages
 * that overtook their commit. */
const WAITING_COUNT_MAX = 256
const WAITING_BYTES_MAX = 1_048_576

/** Takes what a relay pushed: follows its chain, queues the entries, opens as many as may be opened now. */
export function item(turn: Turn, { relay, item }: Of<'item'>): void {
  const intake = follow(turn, relay, item)
  if (intake === undefined) return
  turn.setIntake(relay, intake)
  // A box that was never written to has no head to sign.
  if (item.head?.head !== undefined) checkHead(turn, relay, item, item.head, intake)
  for (const slot of item.slots) {
    const owner = turn.state.slotTags.get(toText(slot.tag, 'base16'))
    if (owner !== undefined) turn.perform({ type: 'open-receipt', owner, slot })
  }
  advance(turn)
}

function follow(turn: Turn, relay: RelayId, item: box.SubscribeItem): Intake | undefined {
  const intake = turn.intake(relay)
  let cursor = startOf(turn, relay, item.storeEpoch, intake)
  const pending: IncomingEntry[] = [...intake.pending]
  for (const entry of item.entries) {
    if (entry.number !== cursor.number + 1 || entry.envelopeId.byteLength !== 32) {
      distrust(turn, relay, 'its log has a hole')
      return undefined
    }
    const chain = boxes.chainNext(cursor.chain, entry.number, entry.envelopeId, turn.tools.sha256)
    cursor = { ...cursor, number: entry.number, chain }
    pending.push({
      number: entry.number,
      id: messageIdOf(entry.envelopeId),
      envelope: entry.envelope.byteLength === 0 ? undefined : entry.envelope,
      path: 'relay',
      waiting: undefined,
      chain
    })
  }
  return { ...intake, pending, cursor }
}

/** Where the log stands before this item: after what is pending, at the cursor, or at the start of a new store. */
function startOf(turn: Turn, relay: RelayId, storeEpoch: Uint8Array, intake: Intake): Cursor {
  const held = intake.cursor ?? turn.state.cursors.get(relay)
  if (held !== undefined && equals(held.storeEpoch, storeEpoch)) return held
  if (held !== undefined) offerAgain(turn, relay)
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
    head.head?.number === cursor.number &&
    equals(head.head.chain, cursor.chain)
  if (!agrees) distrust(turn, relay, 'its signed head does not match its log')
  else turn.perform({ type: 'check-head', relay, head, storeEpoch: item.storeEpoch })
}

/** Ends the session with a relay that contradicts itself. What it delivered was authenticated by its authors. */
export function distrust(turn: Turn, relay: RelayId, reason: string): void {
  turn.perform({ type: 'distrust', relay, reason })
}

/**
 * Opens the next entries of some source: those of known epochs together, one of an unknown epoch alone. One
 * opening at a time, and only when everything before it is on disk, so that duplicates and named messages are
 * looked for among all that this device has.
 */
export function advance(turn: Turn): void {
  if (turn.state.opening !== undefined) return
  for (const [source, { pending }] of turn.state.intakes) {
    if (pending.length === 0) continue
    const requests = nextRequests(turn, pending)
    turn.patch({ opening: { source, count: requests.length } })
    turn.whenDurable({ type: 'open', source, requests })
    return
  }
}

function nextRequests(turn: Turn, pending: readonly IncomingEntry[]): readonly OpenRequest[] {
  const requests: OpenRequest[] = []
  for (const entry of pending.slice(0, OPEN_COUNT_MAX)) {
    const owner = ownerOf(turn, entry)
    const alone = owner === undefined && entry.envelope !== undefined
    if (alone && requests.length > 0) break
    requests.push({ entry, owner })
    if (alone) break
  }
  return requests
}

function ownerOf(turn: Turn, entry: IncomingEntry): TagOwner | undefined {
  if (entry.envelope === undefined) return undefined
  try {
    const { epochTag } = decodeBounded(
      envelope.Envelope,
      entry.envelope,
      envelope.ENVELOPE_BYTES_MAX
    )
    return turn.state.tags.get(toText(epochTag, 'base16'))
  } catch {
    // Malformed: the shell finds the same and reports it unreadable.
    return undefined
  }
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
  }
  const last = entries.at(-1)
  if (last !== undefined && source !== 'waiting') moveCursor(turn, source, last)
  const intake = turn.intake(source)
  turn.setIntake(source, { ...intake, pending: intake.pending.slice(entries.length) })
  turn.patch({ opening: undefined })
  advance(turn)
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
    turn.announce({ type: 'notice', text: result.reason })
  }
  if (result.type === 'unknown-tag' && source !== 'waiting') keepWaiting(turn, entry)
}

function moveCursor(turn: Turn, relay: RelayId, last: IncomingEntry): void {
  const cursor = turn.intake(relay).cursor
  if (cursor === undefined || last.chain === undefined) return
  const moved = { ...cursor, number: last.number, chain: last.chain }
  turn.setCursor(moved)
  turn.whenDurable({
    type: 'acknowledge',
    relay,
    storeEpoch: moved.storeEpoch,
    number: moved.number
  })
}

/** A peer founded a group with us: its epoch is durable before anything in it is acknowledged. */
function joined(turn: Turn, result: Extract<Opened, { type: 'joined' }>): void {
  const { self } = turn.state
  const { snapshot, epoch } = result
  const peer = epoch.members.find(({ account }) => account !== self.account)?.account
  if (peer === undefined) return
  const id = direct.directConversationId(self.account, peer, turn.tools.sha256)
  turn.ensureConversation(id, peer)
  turn.addGroup(id, {
    incarnation: {
      groupId: epoch.groupId,
      creator: snapshot.view.creator,
      epoch: epoch.epoch,
      state: snapshot.state
    },
    epoch,
    slots: result.slots
  })
  for (const write of result.writes) turn.write(write)
  turn.announce({ type: 'joined', account: peer })
  if (turn.state.friends.has(peer)) introduce(turn, id)
  pump(turn, id)
  if (turn.conversation(id).receipt.version > 0) scheduleReceipt(turn, id)
  releaseWaiting(turn)
}

function keepWaiting(turn: Turn, entry: IncomingEntry): void {
  if (entry.envelope === undefined) return
  // A log that is read again brings what waits already.
  if (turn.state.waiting.some(({ id }) => id === entry.id)) return
  const kept = {
    local: turn.next('lastWaiting'),
    id: entry.id,
    envelope: entry.envelope,
    path: entry.path
  }
  turn.write(waitingWrite(kept))
  let waiting = [...turn.state.waiting, kept]
  while (waiting.length > WAITING_COUNT_MAX || bytesOf(waiting) > WAITING_BYTES_MAX) {
    const [oldest, ...rest] = waiting
    if (oldest !== undefined) turn.write(waitingDelete(oldest.local))
    waiting = rest
  }
  turn.patch({ waiting })
}

const bytesOf = (waiting: readonly { envelope: Uint8Array }[]): number =>
  waiting.reduce((sum, { envelope }) => sum + envelope.byteLength, 0)

function dropWaiting(turn: Turn, local: number): void {
  turn.write(waitingDelete(local))
  turn.patch({ waiting: turn.state.waiting.filter((kept) => kept.local !== local) })
}

/** Envelopes whose epoch has become known are opened as if they came now. */
export function releaseWaiting(turn: Turn): void {
  const intake = turn.intake('waiting')
  const queued = new Set(intake.pending.map(({ waiting }) => waiting))
  const ready = turn.state.waiting
    .filter(({ local }) => !queued.has(local))
    .map(
      ({ local, id, envelope, path }): IncomingEntry => ({
        number: 0,
        id,
        envelope,
        path,
        waiting: local,
        chain: undefined
      })
    )
    .filter((entry) => ownerOf(turn, entry) !== undefined)
  if (ready.length === 0) return
  turn.setIntake('waiting', { ...intake, pending: [...intake.pending, ...ready] })
  advance(turn)
}

/** The session is gone. What it had queued comes again with the next one, so the queue behind it is dropped;
 * entries being opened finish first. */
export function offline(turn: Turn, relay: RelayId): void {
  const relays = new Set(turn.state.online)
  relays.delete(relay)
  turn.patch({ online: relays })
  const intake = turn.intake(relay)
  const { opening } = turn.state
  const pending = intake.pending.slice(0, opening?.source === relay ? opening.count : 0)
  const last = pending.at(-1)
  const held = turn.state.cursors.get(relay)
  const cursor =
    intake.cursor !== undefined && last?.chain !== undefined
      ? { ...intake.cursor, number: last.number, chain: last.chain }
      : held
  turn.setIntake(relay, { ...intake, pending, cursor })
}

/** The entries at the front could not be examined now; they are tried again, in order. After a restart: what
 * waited for an epoch that had become known, but was not opened yet. */
export function openAgain(turn: Turn): void {
  turn.patch({ opening: undefined })
  releaseWaiting(turn)
  advance(turn)
}
