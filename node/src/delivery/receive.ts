// What becomes of one opened message: is its author allowed to say this here, where does it stand in the order,
// what is missing before it.
import { idBytes, type MessageId, messageIdOf } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { addCounter, missingRanges, type Ranges } from '../conversations/counters.ts'
import { advanceHeads, depthHolds } from '../conversations/ordering.ts'
import type { Opened } from './inputs.ts'
import * as membership from './membership.ts'
import { scheduleReceipt } from './receipts.ts'
import { introductionWrite } from './records.ts'
import type { ConversationState, IncomingEntry, TagOwner } from './state.ts'
import type { Turn } from './turn.ts'

type OpenedMessage = Extract<Opened, { type: 'message' }>

interface Received {
  readonly entry: IncomingEntry
  readonly result: OpenedMessage
  readonly owner: TagOwner
  readonly depths: Map<string, number>
}

/** Heads that others named and this device lacks; beyond this they are counted by their senders' counters only. */
const MISSING_HEADS_MAX = 64

/** Stores a message that may be stored; a refused one leaves a notice and no trace in the conversation. */
export function receive(turn: Turn, received: Received): void {
  const refusal = refusalOf(turn, received)
  if (refusal !== undefined) {
    turn.log({ type: 'notice', text: `A message was refused: ${refusal}.` })
    return
  }
  const { entry, result, owner, depths } = received
  const conversation = turn.conversation(owner.conversation)
  const { depth } = result.content
  depths.set(entry.id, depth)
  turn.write({ type: 'mark', id: entry.id, depth })
  follow(turn, conversation, received)
  if (!turn.state.blocked.has(result.account)) show(turn, conversation, received)
  change(turn, owner, result)
  if (result.account !== turn.state.self.account) scheduleReceipt(turn, conversation.id)
}

/** A commit inside the message moves the group on. */
function change(
  turn: Turn,
  { conversation: id, epoch }: TagOwner,
  { change, content }: OpenedMessage
): void {
  if (content.body?.commit === undefined) return
  const { commit, receipt } = content.body.commit
  if (membership.isReceipt(commit)) {
    membership.compareTold(turn, id, epoch, content.body.commit)
    if (change !== undefined) return
  }
  if (change === undefined) membership.compareReceipts(turn, id, epoch, receipt)
  else membership.take(turn, id, epoch, { change, commit, receipt })
}

function refusalOf(turn: Turn, received: Received): string | undefined {
  const { result, owner, depths } = received
  const { content } = result
  const { epoch } = owner
  const isMember = epoch.members.some(
    ({ account, device }) => account === result.account && device === result.device
  )
  if (!isMember) return 'its author is not a member'
  const belongs =
    equals(content.conversation, idBytes(owner.conversation)) &&
    equals(content.group, fromString(epoch.groupId, 'base16')) &&
    content.epoch === epoch.epoch
  if (!belongs) return 'it was written for another conversation'
  if (!equals(content.authenticator, epoch.authenticator))
    return 'its author is on a fork of the group'
  const known = result.heads.map(({ id, depth }) => depth ?? depths.get(id))
  const { deepest } = turn.conversation(owner.conversation)
  if (isFromRemoved(turn, received)) return 'its device was removed'
  return depthHolds(content.depth, known, deepest) ? undefined : 'its place in the order is forged'
}

/**
 * What a device wrote before it was removed has come by a relay or comes yet. What it brings itself, in an epoch
 * that is over and whose successors do not hold it, it may have written at any time.
 */
function isFromRemoved(turn: Turn, { entry, result, owner }: Received): boolean {
  if (entry.path !== 'direct') return false
  const newest = turn
    .conversation(owner.conversation)
    .epochs.filter(({ groupId }) => groupId === owner.epoch.groupId)
    .reduce((best, next) => (next.epoch > best.epoch ? next : best), owner.epoch)
  return !newest.members.some(({ device }) => device === result.device)
}

/** Counters, heads and gaps after this message. */
function follow(turn: Turn, before: ConversationState, { entry, result, depths }: Received): void {
  const { device, counter, content } = result
  const ranges = before.received.get(device) ?? []
  const grown = addCounter(ranges, counter)
  const named = content.heads.map(messageIdOf)
  const unknown = result.heads
    .filter(({ id, depth }) => depth === undefined && !depths.has(id))
    .map(({ id }) => id)
  const missingHeads = [...new Set([...before.missingHeads, ...unknown])]
    .filter((id) => id !== entry.id)
    .slice(-MISSING_HEADS_MAX)
  turn.setConversation({
    ...before,
    deepest: Math.max(before.deepest, content.depth),
    heads: advanceHeads(before.heads, { id: entry.id, depth: content.depth }, named),
    received: new Map(before.received).set(device, grown),
    missingHeads
  })
  announceGaps(turn, before, { device, ranges, grown })
  announceHeads(turn, before, missingHeads)
}

function announceGaps(
  turn: Turn,
  { id }: ConversationState,
  { device, ranges, grown }: { device: OpenedMessage['device']; ranges: Ranges; grown: Ranges }
): void {
  const was = missingRanges(ranges)
  const is = missingRanges(grown)
  for (const { from, to } of was.filter((old) => !is.some((gap) => same(gap, old)))) {
    turn.log({ type: 'gap-closed', conversation: id, gap: { device, from, to } })
  }
  for (const { from, to } of is.filter((gap) => !was.some((old) => same(gap, old)))) {
    turn.log({ type: 'gap', conversation: id, gap: { device, from, to } })
  }
}

const same = (a: { from: number; to: number }, b: { from: number; to: number }): boolean =>
  a.from === b.from && a.to === b.to

function announceHeads(turn: Turn, before: ConversationState, now: readonly MessageId[]): void {
  const conversation = before.id
  for (const message of before.missingHeads.filter((id) => !now.includes(id))) {
    turn.log({ type: 'gap-closed', conversation, gap: { message } })
  }
  for (const message of now.filter((id) => !before.missingHeads.includes(id))) {
    turn.log({ type: 'gap', conversation, gap: { message } })
  }
}

function show(turn: Turn, { local, id }: ConversationState, { entry, result }: Received): void {
  const { account, device, counter, content, raw } = result
  if (content.body?.introduction !== undefined) {
    const { name, deliverySecret } = content.body.introduction
    const introduction = { account, name, deliverySecret }
    if (account === turn.state.self.account) {
      const conversation = turn.conversation(id)
      turn.setConversation({ ...conversation, introduced: true })
      turn.announce({ type: 'befriended', account: conversation.peer })
      return
    }
    turn.write(introductionWrite(local, introduction))
    turn.announce({ type: 'introduced', introduction })
    return
  }
  if (content.body?.commit !== undefined) return
  const text = content.body?.text?.text
  const message = {
    local: turn.next('lastLocal'),
    id: entry.id,
    conversation: id,
    account,
    device,
    counter,
    depth: content.depth,
    text: text ?? '',
    sentAtMs: content.sentAtMs,
    storedAtMs: turn.nowMs,
    path: entry.path,
    ...(text === undefined ? { raw } : {})
  }
  turn.write({ type: 'timeline', local, message })
  turn.log({ type: 'message', message })
}
