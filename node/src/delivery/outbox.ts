// The outbox's decisions: a message is durable before it is shown, sealed once, sent again with identical bytes
// until every home has it, and kept until a device of the recipient has it.
import {
  type ConversationId,
  type DeviceId,
  type envelope,
  idBytes,
  type RelayId
} from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import { beginsAnew, currentEpoch, type EpochState } from '../conversations/incarnations.ts'
import type { StoredMessage } from '../conversations/message.ts'
import { advanceHeads, depthAfter } from '../conversations/ordering.ts'
import type { Input } from './inputs.ts'
import { tellAddresses } from './receipts.ts'
import { reconcile } from './reconcile.ts'
import type {
  ConversationState,
  OutboxEntry,
  QueuedChange,
  SealedEntry,
  SealedWelcome
} from './state.ts'
import type { Turn } from './turn.ts'

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/**
 * Does the next thing an outbox can do: found the group, or seal the oldest unsealed entry. Sealed at once, before
 * the entry is on disk, it becomes durable with the entry: nothing leaves before a later transaction than both.
 */
export function pump(
  turn: Turn,
  id: ConversationId,
  when: 'at-once' | 'when-durable' = 'when-durable'
): void {
  const conversation = turn.conversation(id)
  const [local] = conversation.unsealed
  if (conversation.sealing !== undefined || (local === undefined && !beginsAnew(conversation)))
    return
  if (conversation.phase === 'new') {
    turn.updateConversation({ ...conversation, phase: 'starting' })
    turn.perform({ type: 'start', conversation: id, peer: conversation.peer })
  }
  if (conversation.phase === 'ready' && local !== undefined)
    seal(turn, conversation, { local, when })
}

function seal(
  turn: Turn,
  conversation: ConversationState,
  { local, when }: { local: number; when: 'at-once' | 'when-durable' }
): void {
  const entry = turn.state.outbox.get(local)
  if (entry === undefined) throw new Error('an unsealed entry is not in the outbox')
  const epoch = epochFor(conversation, entry)
  const named = conversation.heads.map(({ id }) => id)
  const content: envelope.Content = {
    conversation: idBytes(conversation.id),
    group: fromString(epoch.groupId, 'base16'),
    epoch: epoch.epoch,
    authenticator: epoch.authenticator,
    heads: named.map(idBytes),
    depth: depthAfter(conversation.heads),
    sentAtMs: entry.composedAtMs,
    body: bodyOf(turn, entry)
  }
  turn.updateConversation({ ...conversation, sealing: { local, named } })
  const effect = {
    type: 'seal',
    local,
    archiveKey: epoch.archiveKey,
    counter: conversation.counter + 1,
    content
  } as const
  // Either way the entry is durable before anything made of it can leave: its transaction came before that one.
  if (when === 'at-once') turn.perform(effect)
  else turn.whenDurable(effect)
}

/** A commit is sealed in the epoch that it ends, everything else in the newest of the group all send in. */
function epochFor(conversation: ConversationState, { change }: OutboxEntry): EpochState {
  const ended = conversation.epochs.find(({ tag }) => tag === change?.tag)
  return ended ?? currentEpoch(conversation)
}

function bodyOf(turn: Turn, entry: OutboxEntry): envelope.Body {
  if (entry.change !== undefined) {
    const { commit, receipt } = entry.change
    return { commit: { commit, receipt } }
  }
  return entry.kind === 'introduction'
    ? { introduction: turn.state.profile }
    : { text: { text: entry.text } }
}

/** The sealed bytes become durable together with counter, order and duplicate mark; then they may leave. */
export function sealed(turn: Turn, input: Of<'sealed'>): void {
  const entry = turn.state.outbox.get(input.local)
  if (entry === undefined) throw new Error('a sealed entry is not in the outbox')
  const conversation = turn.conversation(entry.conversation)
  const { id, depth, counter } = input.sealed
  const done = { ...entry, sealed: input.sealed }
  turn.setOutbox(done)
  turn.setConversation({
    ...conversation,
    counter,
    deepest: Math.max(conversation.deepest, depth),
    heads: advanceHeads(conversation.heads, { id, depth }, conversation.sealing?.named ?? []),
    unsealed: conversation.unsealed.slice(1),
    sealing: undefined
  })
  turn.write({ type: 'mark', id, depth })
  if (entry.kind === 'text') writeTimeline(turn, done, input.sealed)
  turn.announce({ type: 'progress', entry: done })
  send(turn, done)
  pump(turn, entry.conversation)
}

/**
 * Sends an entry to a home once it is on disk, unless its welcome is not there yet: then it follows the welcome. What
 * comes before its welcome waits at the recipient, where strangers can push it out.
 */
export function append(turn: Turn, relay: RelayId, entry: OutboxEntry): void {
  if (entry.sealed === undefined || entry.acceptedBy.includes(relay)) return
  if (entry.kind !== 'welcome' && isBehindWelcome(turn, relay, entry)) return
  turn.whenDurable({ type: 'append', relay, entry })
}

function isBehindWelcome(turn: Turn, relay: RelayId, entry: OutboxEntry): boolean {
  for (const { conversation, target, acceptedBy } of turn.state.welcomes.values()) {
    const isItsOwn = conversation === entry.conversation && target === entry.target
    if (isItsOwn && !acceptedBy.includes(relay)) return true
  }
  return false
}

/** Both paths at once: to every home that is reachable, and straight to the devices of the recipient. */
function send(turn: Turn, entry: OutboxEntry): void {
  for (const device of devicesOf(turn, entry)) turn.whenDurable({ type: 'deliver', device, entry })
  for (const relay of turn.state.online) append(turn, relay, entry)
}

/** Devices of the recipient that hold the keys of the newest epoch. */
export function devicesOf(turn: Turn, { conversation, target }: OutboxEntry): readonly DeviceId[] {
  const { members } = currentEpoch(turn.conversation(conversation))
  return members.filter(({ account }) => account === target).map(({ device }) => device)
}

function writeTimeline(turn: Turn, entry: OutboxEntry, sealed: SealedEntry): void {
  const { local } = turn.conversation(entry.conversation)
  turn.write({ type: 'timeline', local, message: messageOf(turn, entry, sealed) })
}

/** An own message as the timeline keeps it. */
export function messageOf(turn: Turn, entry: OutboxEntry, sealed: SealedEntry): StoredMessage {
  return {
    local: entry.local,
    id: sealed.id,
    conversation: entry.conversation,
    account: turn.state.self.account,
    device: turn.state.self.device,
    counter: sealed.counter,
    depth: sealed.depth,
    text: entry.text,
    sentAtMs: entry.composedAtMs,
    storedAtMs: turn.nowMs,
    path: entry.deliveredBy ?? 'relay'
  }
}

/** A group towards the peer exists: its keys are durable before the first envelope under them leaves. */
export function started(turn: Turn, input: Of<'started'>): void {
  const { snapshot, epoch, slots, welcomes } = input.group
  const conversation = turn.conversation(input.conversation)
  turn.addGroup(conversation.id, {
    incarnation: {
      groupId: epoch.groupId,
      creator: turn.state.self.account,
      epoch: epoch.epoch,
      state: snapshot.state
    },
    epoch,
    slots
  })
  for (const welcome of welcomes) sendWelcome(turn, conversation.id, welcome, epoch.groupId)
  reconcile(turn, conversation.id)
  tellAddresses(turn, conversation.id)
  pump(turn, conversation.id)
}

/** A welcome is sealed already; it goes the way of everything else in the outbox. */
export function sendWelcome(
  turn: Turn,
  id: ConversationId,
  welcome: SealedWelcome,
  group: string
): void {
  const entry: OutboxEntry = {
    local: turn.next('lastLocal'),
    conversation: id,
    kind: 'welcome',
    text: '',
    change: undefined,
    group,
    composedAtMs: turn.nowMs,
    sealed: { id: welcome.id, envelope: welcome.envelope, counter: 0, depth: 0 },
    target: welcome.account,
    acceptedBy: [],
    deliveredBy: undefined,
    refusal: undefined
  }
  turn.setOutbox(entry)
  turn.write({ type: 'mark', id: welcome.id, depth: 0 })
  send(turn, entry)
}

/** Queues a commit before everything else: what follows it is sealed in the epoch that it begins. */
export function queueCommit(turn: Turn, id: ConversationId, change: QueuedChange): void {
  const conversation = turn.conversation(id)
  const entry: OutboxEntry = {
    local: turn.next('lastLocal'),
    conversation: id,
    kind: 'commit',
    text: '',
    change,
    composedAtMs: turn.nowMs,
    sealed: undefined,
    target: conversation.peer,
    acceptedBy: [],
    deliveredBy: undefined,
    refusal: undefined
  }
  turn.setOutbox(entry)
  const [sealing, ...rest] = conversation.unsealed
  const isSealing = sealing !== undefined && conversation.sealing?.local === sealing
  turn.updateConversation({
    ...conversation,
    unsealed: isSealing ? [sealing, entry.local, ...rest] : [entry.local, ...conversation.unsealed]
  })
}

/** The group could not be founded now; what waits for it says why. */
export function startFailed(turn: Turn, input: Of<'start-failed'>): void {
  const conversation = turn.conversation(input.conversation)
  // Meanwhile the peer may have founded one, and what waited goes there.
  if (conversation.phase !== 'starting') return
  turn.updateConversation({ ...conversation, phase: 'new' })
  for (const local of conversation.unsealed) note(turn, local, input.reason)
  turn.perform({
    type: 'timer',
    delayMs: input.retryAfterMs,
    input: { type: 'retry-start', conversation: conversation.id }
  })
}

/** Says why an entry waits; the same reason twice is said once. */
export function note(turn: Turn, local: number, refusal: string | undefined): void {
  const entry = turn.state.outbox.get(local)
  if (entry === undefined || entry.refusal === refusal) return
  const noted = { ...entry, refusal }
  turn.setOutbox(noted)
  turn.announce({ type: 'progress', entry: noted })
}
