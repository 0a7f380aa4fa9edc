// How far what was sent has come: accepted by homes, held by devices of the recipient, refused, or to be sent again
// because nobody can know.
import {
  type AccountId,
  type ConversationId,
  type DeviceId,
  type RelayId,
  SECOND_MS
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { addCounter, hasCounter, mergeRanges } from '../conversations/counters.ts'
import { currentEpoch } from '../conversations/incarnations.ts'
import type { Input } from './inputs.ts'
import { append, devicesOf, messageOf, note, pump } from './outbox.ts'
import { isAwaited, watchAgain } from './promises.ts'
import { scheduleReceipt } from './receipts.ts'
import { reconcile } from './reconcile.ts'
import type { ConversationState, OutboxEntry } from './state.ts'
import type { Turn } from './turn.ts'

/** A relay writes slots with its next commit, a few seconds later at most; more than that only repeats what it has. */
const RECEIPT_LOST_MS = 60 * SECOND_MS

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** A home holds it durably. */
export function accepted(turn: Turn, input: Of<'accepted'>): void {
  const entry = turn.state.outbox.get(input.local)
  if (entry === undefined || entry.acceptedBy.includes(input.relay)) return
  progress(turn, {
    ...entry,
    acceptedBy: [...entry.acceptedBy, input.relay],
    ...(input.place === undefined ? {} : { places: [...(entry.places ?? []), input.place] }),
    refusal: undefined
  })
  if (entry.kind === 'welcome') dropWelcomes(turn, entry.conversation, entry.target)
}

/**
 * An entry leaves the outbox when a home has it, and shows it in the own log, and a device of the recipient has it;
 * until then its bytes stay. A
 * welcome has done its work once its device has joined: what a home accepted it may lose. With somebody who is no
 * contact, own devices give no receipts, so that a home's word has to do.
 */
function progress(turn: Turn, entry: OutboxEntry): void {
  const before = turn.state.outbox.get(entry.local)
  const isAccepted = entry.acceptedBy.length > 0
  const isDelivered = entry.deliveredBy !== undefined
  const isUnanswered =
    entry.target === turn.state.self.account &&
    !turn.state.friends.has(turn.conversation(entry.conversation).peer)
  const isDone =
    entry.kind === 'welcome'
      ? isDelivered || (isAccepted && isUnanswered)
      : isAccepted && isDelivered
  if (isDone && !isAwaited(turn, entry)) turn.deleteOutbox(entry.local)
  else turn.setOutbox(entry)
  if (entry.kind === 'text' && before !== undefined && hasMoved(before, entry))
    turn.log({ type: 'progress', entry })
  else turn.announce({ type: 'progress', entry })
  if (entry.kind === 'welcome') sendFollowers(turn, entry)
}

/** Whether a person sees another state. */
function hasMoved(before: OutboxEntry, after: OutboxEntry): boolean {
  const isNewlyAccepted = before.acceptedBy.length === 0 && after.acceptedBy.length > 0
  const isNewlyDelivered = before.deliveredBy === undefined && after.deliveredBy !== undefined
  return isNewlyAccepted || isNewlyDelivered
}

/** A home shows an entry that it said it kept: with a device of the recipient holding it, nothing is left to do. */
export function shown(turn: Turn, local: number): void {
  const entry = turn.state.outbox.get(local)
  if (entry === undefined || entry.deliveredBy === undefined || isAwaited(turn, entry)) return
  if (entry.acceptedBy.length > 0) turn.deleteOutbox(local)
}

/** What waited for a welcome to be in the box, or to be of no use any more. */
function sendFollowers(turn: Turn, { conversation }: OutboxEntry): void {
  for (const entry of turn.state.outbox.values()) {
    if (entry.conversation !== conversation || entry.kind === 'welcome') continue
    for (const relay of turn.state.online) append(turn, relay, entry)
  }
}

/** A home said no: the reason is shown, and the same bytes go to it again once it said they may. */
export function refused(turn: Turn, input: Of<'refused'>): void {
  note(turn, input.local, input.reason)
  turn.perform({
    type: 'timer',
    delayMs: input.retryAfterMs,
    input: { type: 'retry-append', local: input.local, relay: input.relay }
  })
}

/** Sends an entry to a home again, unless it has taken it meanwhile or is out of reach. */
export function retryAppend(turn: Turn, input: Of<'retry-append'>): void {
  const entry = turn.state.outbox.get(input.local)
  if (entry === undefined || !turn.state.online.has(input.relay)) return
  if (entry.acceptedBy.includes(input.relay)) return
  append(turn, input.relay, entry)
}

/** A home is reachable: everything sealed that it may not have goes to it again, and receipts too. */
export function online(turn: Turn, relay: RelayId): void {
  turn.patch({ online: new Set(turn.state.online).add(relay) })
  watchAgain(turn, relay)
  for (const entry of turn.state.outbox.values()) {
    // What was sealed just now may not be on disk: sealed again after a crash, it would be another message.
    append(turn, relay, entry)
  }
  for (const conversation of turn.state.conversations.values()) {
    if (conversation.phase === 'new') pump(turn, conversation.id)
    if (conversation.receipt.isDue || mayBeLost(turn, conversation))
      scheduleReceipt(turn, conversation.id)
    reconcile(turn, conversation.id)
  }
}

/** A relay that died has lost what it had not yet written, and is told again (protocols/src/box/README.md, slots). */
function mayBeLost({ nowMs }: Turn, { receipt }: ConversationState): boolean {
  return receipt.version > 0 && Math.abs(nowMs - receipt.sealedAtMs) < RECEIPT_LOST_MS
}

/** The relay's store is a new one (restored, or lost): it may hold nothing of what it accepted, nor receipts. */
export function offerAgain(turn: Turn, relay: RelayId): void {
  for (const { id, received, receipt } of turn.state.conversations.values()) {
    if (received.size > 0 || receipt.version > 0) scheduleReceipt(turn, id)
  }
  for (const entry of turn.state.outbox.values()) {
    if (!entry.acceptedBy.includes(relay)) continue
    const again = {
      ...entry,
      acceptedBy: entry.acceptedBy.filter((other) => other !== relay),
      places: (entry.places ?? []).filter((place) => place.relay !== relay)
    }
    turn.setOutbox(again)
  }
  for (const entry of turn.state.outbox.values()) append(turn, relay, entry)
}

/** A device of the recipient says what it holds. */
export function receipt(turn: Turn, input: Of<'receipt'>): void {
  const { self } = turn.state
  noteJoined(turn, input)
  if (input.member.account === self.account)
    return dropWelcomes(turn, input.conversation, self.account)
  const conversation = turn.conversation(input.conversation)
  const own = conversation.epochs.flatMap(({ members }) => members)
  const delivered = new Map(conversation.delivered)
  for (const [device, ranges] of input.delivered) {
    const isOwn = own.some((one) => one.device === device && one.account === self.account)
    if (isOwn) delivered.set(device, mergeRanges(delivered.get(device) ?? [], ranges))
  }
  const addresses = new Map(conversation.addresses).set(input.member.device, input.addresses)
  turn.setConversation({ ...conversation, delivered, addresses })
  const ranges = delivered.get(self.device) ?? []
  for (const entry of turn.state.outbox.values()) {
    const { sealed } = entry
    if (entry.conversation !== input.conversation || sealed === undefined) continue
    if (entry.kind === 'welcome' || entry.deliveredBy !== undefined) continue
    if (hasCounter(ranges, sealed.counter)) progress(turn, { ...entry, deliveredBy: 'relay' })
  }
  dropWelcomes(turn, conversation.id, input.member.account)
}

/** A receipt under a key of a group: its author has joined it. Of interest for the one that this device sends in. */
function noteJoined(turn: Turn, { conversation: id, member, archiveKey }: Of<'receipt'>): void {
  const conversation = turn.conversation(id)
  if (archiveKey === undefined || conversation.incarnations.length === 0) return
  const { groupId } = currentEpoch(conversation)
  const isOfGroup = conversation.epochs.some(
    (epoch) => epoch.groupId === groupId && equals(epoch.archiveKey, archiveKey)
  )
  const known = conversation.joined?.groupId === groupId ? conversation.joined.devices : []
  if (!isOfGroup || known.includes(member.device)) return
  const joined = { groupId, devices: [...known, member.device] }
  turn.setConversation({ ...conversation, joined })
}

/** Whether every device of the account, but this one, has joined the group that this one sends in. */
function haveJoined(conversation: ConversationState, account: AccountId, self: DeviceId): boolean {
  if (conversation.incarnations.length === 0) return false
  const { groupId, members } = currentEpoch(conversation)
  const devices = conversation.joined?.groupId === groupId ? conversation.joined.devices : []
  return members
    .filter((member) => member.account === account && member.device !== self)
    .every(({ device }) => devices.includes(device))
}

/** Nothing waits any more to be read in a group that a device of the recipient may not have joined. */
function dropWelcomes(turn: Turn, id: ConversationId, account: AccountId): void {
  if (!haveJoined(turn.conversation(id), account, turn.state.self.device)) return
  const entries = [...turn.state.outbox.values()].filter(
    ({ conversation, target }) => conversation === id && target === account
  )
  const isWaiting = ({ kind, sealed, deliveredBy }: OutboxEntry): boolean =>
    kind !== 'welcome' && sealed !== undefined && deliveredBy === undefined
  if (entries.some(isWaiting)) return
  const { groupId } = currentEpoch(turn.conversation(id))
  for (const entry of entries) {
    // Who is in the group that all send in may never have heard of another one: then a home must have the welcome.
    const isThere = entry.group === groupId || entry.acceptedBy.length > 0
    if (entry.kind === 'welcome' && isThere) progress(turn, { ...entry, deliveredBy: 'relay' })
  }
}

/** A device that these envelopes were brought to has them on disk. */
export function held(turn: Turn, { device, ids }: Of<'held'>): void {
  const { self } = turn.state
  for (const entry of turn.state.outbox.values()) {
    const { sealed } = entry
    if (sealed === undefined || entry.deliveredBy !== undefined || !ids.includes(sealed.id))
      continue
    const { epochs } = turn.conversation(entry.conversation)
    const isOfTarget = epochs.some(({ members }) =>
      members.some((member) => member.device === device && member.account === entry.target)
    )
    if (!isOfTarget || entry.target === self.account) continue
    const done: OutboxEntry = { ...entry, deliveredBy: 'direct' }
    if (entry.kind === 'text') {
      const { local } = turn.conversation(entry.conversation)
      turn.write({ type: 'timeline-update', local, message: messageOf(turn, done, sealed) })
    }
    if (entry.kind !== 'welcome') markDelivered(turn, entry.conversation, sealed.counter)
    progress(turn, done)
  }
}

function markDelivered(turn: Turn, id: ConversationId, counter: number): void {
  const conversation = turn.conversation(id)
  const { device } = turn.state.self
  const ranges = addCounter(conversation.delivered.get(device) ?? [], counter)
  turn.setConversation({
    ...conversation,
    delivered: new Map(conversation.delivered).set(device, ranges)
  })
}

/** A device can be reached: it gets what it may not have. */
export function deviceOnline(turn: Turn, device: DeviceId): void {
  for (const entry of turn.state.outbox.values()) {
    if (entry.sealed === undefined || entry.deliveredBy !== undefined) continue
    if (devicesOf(turn, entry).includes(device))
      turn.whenDurable({ type: 'deliver', device, entry })
  }
}
