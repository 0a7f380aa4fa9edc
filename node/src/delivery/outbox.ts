// The outbox's decisions: a message is durable before it is shown, sealed once, sent again with identical bytes
// until every home has it, and kept until a device of the recipient has it.
import type { AccountId, ConversationId, envelope, MessageId, RelayId } from '@kith/protocols'
import { idBytes } from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import { hasCounter } from '../conversations/counters.ts'
import { currentEpoch } from '../conversations/incarnations.ts'
import { advanceHeads, depthAfter } from '../conversations/ordering.ts'
import { scheduleReceipt } from './receipts.ts'
import type { ConversationState, Input, OutboxEntry, SealedEntry } from './state.ts'
import type { Turn } from './turn.ts'

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** Takes a text: durable first, then shown, then sealed and sent. */
export function compose(turn: Turn, input: Of<'compose'>): void {
  turn.ensureConversation(input.conversation, input.peer)
  introduce(turn, input.conversation)
  const entry = enqueue(turn, input.conversation, 'text', input.text)
  turn.announce({ type: 'composed', request: input.request, entry })
  pump(turn, input.conversation)
}

/** Queues this account's introduction unless the peer has had it. */
export function introduce(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  if (conversation.introduced) return
  turn.setConversation({ ...conversation, introduced: true })
  enqueue(turn, id, 'introduction', '')
}

function enqueue(
  turn: Turn,
  id: ConversationId,
  kind: 'text' | 'introduction',
  text: string
): OutboxEntry {
  const conversation = turn.conversation(id)
  const entry: OutboxEntry = {
    local: turn.next('lastLocal'),
    conversation: id,
    kind,
    text,
    composedAtMs: turn.nowMs,
    sealed: undefined,
    target: conversation.peer,
    acceptedBy: [],
    refusal: undefined
  }
  turn.setOutbox(entry)
  turn.updateConversation({ ...conversation, unsealed: [...conversation.unsealed, entry.local] })
  return entry
}

/** Does the next thing an outbox can do: found the group, or seal the oldest unsealed entry. */
export function pump(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  const [local] = conversation.unsealed
  if (local === undefined || conversation.sealing !== undefined) return
  if (conversation.phase === 'new') {
    turn.updateConversation({ ...conversation, phase: 'starting' })
    turn.perform({ type: 'start', conversation: id, peer: conversation.peer })
  }
  if (conversation.phase === 'ready') seal(turn, conversation, local)
}

function seal(turn: Turn, conversation: ConversationState, local: number): void {
  const entry = turn.state.outbox.get(local)
  if (entry === undefined) throw new Error('an unsealed entry is not in the outbox')
  const epoch = currentEpoch(conversation)
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
  // The entry is durable before anything made of it can leave: its transaction came before this one.
  turn.whenDurable({
    type: 'seal',
    local,
    archiveKey: epoch.archiveKey,
    counter: conversation.counter + 1,
    content
  })
}

function bodyOf(turn: Turn, entry: OutboxEntry): envelope.Body {
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
  turn.announce({ type: 'progress', entry: done, delivered: false })
  for (const relay of turn.state.online) turn.whenDurable({ type: 'append', relay, entry: done })
  pump(turn, entry.conversation)
}

function writeTimeline(turn: Turn, entry: OutboxEntry, { id, depth, counter }: SealedEntry): void {
  turn.write({
    type: 'timeline',
    local: turn.conversation(entry.conversation).local,
    message: {
      local: entry.local,
      id,
      conversation: entry.conversation,
      account: turn.state.self.account,
      device: turn.state.self.device,
      counter,
      depth,
      text: entry.text,
      sentAtMs: entry.composedAtMs,
      storedAtMs: turn.nowMs,
      path: 'relay'
    }
  })
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
  for (const welcome of welcomes) sendWelcome(turn, conversation, welcome)
  pump(turn, conversation.id)
}

function sendWelcome(
  turn: Turn,
  conversation: ConversationState,
  welcome: { id: MessageId; envelope: Uint8Array }
): void {
  const entry: OutboxEntry = {
    local: turn.next('lastLocal'),
    conversation: conversation.id,
    kind: 'welcome',
    text: '',
    composedAtMs: turn.nowMs,
    sealed: { ...welcome, counter: 0, depth: 0 },
    target: conversation.peer,
    acceptedBy: [],
    refusal: undefined
  }
  turn.setOutbox(entry)
  turn.write({ type: 'mark', id: welcome.id, depth: 0 })
  for (const relay of turn.state.online) turn.whenDurable({ type: 'append', relay, entry })
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

function note(turn: Turn, local: number, refusal: string | undefined): void {
  const entry = turn.state.outbox.get(local)
  if (entry === undefined || entry.refusal === refusal) return
  const noted = { ...entry, refusal }
  turn.setOutbox(noted)
  turn.announce({ type: 'progress', entry: noted, delivered: false })
}

/** A home holds it durably. A welcome has done its work then: the recipient's first message proves it. */
export function accepted(turn: Turn, input: Of<'accepted'>): void {
  const entry = turn.state.outbox.get(input.local)
  if (entry === undefined || entry.acceptedBy.includes(input.relay)) return
  const done = { ...entry, acceptedBy: [...entry.acceptedBy, input.relay], refusal: undefined }
  if (entry.kind === 'welcome') turn.deleteOutbox(entry.local)
  else turn.setOutbox(done)
  turn.announce({ type: 'progress', entry: done, delivered: false })
}

export function refused(turn: Turn, input: Of<'refused'>): void {
  note(turn, input.local, input.reason)
  turn.perform({
    type: 'timer',
    delayMs: input.retryAfterMs,
    input: { type: 'retry-append', local: input.local, relay: input.relay }
  })
}

export function retryAppend(turn: Turn, input: Of<'retry-append'>): void {
  const entry = turn.state.outbox.get(input.local)
  if (entry === undefined || !turn.state.online.has(input.relay)) return
  if (entry.acceptedBy.includes(input.relay)) return
  turn.perform({ type: 'append', relay: input.relay, entry })
}

/** A home is reachable: everything sealed that it may not have goes to it again, and receipts too. */
export function online(turn: Turn, relay: RelayId): void {
  turn.patch({ online: new Set(turn.state.online).add(relay) })
  for (const entry of turn.state.outbox.values()) {
    if (entry.sealed === undefined || entry.acceptedBy.includes(relay)) continue
    // What was sealed just now may not be on disk: sealed again after a crash, it would be another message.
    turn.whenDurable({ type: 'append', relay, entry })
  }
  for (const conversation of turn.state.conversations.values()) {
    if (conversation.phase === 'new') pump(turn, conversation.id)
    if (conversation.receipt.version > 0) scheduleReceipt(turn, conversation.id)
  }
}

/** The relay's store is a new one (restored, or lost): it may hold nothing of what it accepted. */
export function offerAgain(turn: Turn, relay: RelayId): void {
  for (const entry of turn.state.outbox.values()) {
    if (!entry.acceptedBy.includes(relay)) continue
    const again = { ...entry, acceptedBy: entry.acceptedBy.filter((other) => other !== relay) }
    turn.setOutbox(again)
    turn.whenDurable({ type: 'append', relay, entry: again })
  }
}

/** A device of the recipient holds these counters: they leave the outbox as delivered. */
export function receipt(turn: Turn, input: Of<'receipt'>): void {
  const { self } = turn.state
  const ranges = input.delivered.get(self.device)
  if (input.member.account === self.account || ranges === undefined) return
  for (const entry of turn.state.outbox.values()) {
    if (entry.conversation !== input.conversation || entry.sealed === undefined) continue
    if (entry.kind === 'welcome' || !hasCounter(ranges, entry.sealed.counter)) continue
    turn.deleteOutbox(entry.local)
    turn.announce({ type: 'progress', entry, delivered: true })
  }
}

/** From now on a group begun by this account is answered with an introduction. */
export function befriend(turn: Turn, account: AccountId): void {
  turn.patch({ friends: new Set(turn.state.friends).add(account) })
}
