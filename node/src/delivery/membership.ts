// Groups follow the account logs: a device that joined an own account is added, one that left is removed. Changes
// are sequenced before they are applied, and travel as messages of the epoch that they end.
import { type ConversationId, type envelope, SIGNATURE_BYTES, sequencer } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { decodeOrUndefined } from '../conversations/decoding.ts'
import type { EpochState } from '../conversations/incarnations.ts'
import type { Member } from '../groups/group-crypto.ts'
import type { Input } from './inputs.ts'
import { pump, queueCommit, sendWelcome } from './outbox.ts'
import { openKeptReceipts, tellAddresses } from './receipts.ts'
import { reconcile } from './reconcile.ts'
import type { ChangedEpoch, OpenedChange } from './state.ts'
import type { Turn } from './turn.ts'
import { releaseWaiting } from './waiting.ts'

const NO_RECEIPT = new Uint8Array(0)

type Of<Type extends Input['type']> = Extract<Input, { type: Type }>

/** A change is on disk before the sequencer is asked: if its answer is lost, the same commit is asked for again. */
export function changeMade(turn: Turn, { conversation: id, change }: Of<'change-made'>): void {
  settled(turn, id)
  if (change === undefined || !isNext(turn, id, change.epoch)) return
  turn.setPending(id, change)
  reconcile(turn, id)
}

/** Nothing is under way any more. */
export function settled(turn: Turn, id: ConversationId): void {
  turn.updateConversation({ ...turn.conversation(id), changing: false })
}

/** If the change put first is ours, its epoch begins here, and everybody is told; else another's is taken. */
export function sequenced(turn: Turn, input: Of<'sequenced'>): void {
  const { conversation: id, sequenced } = input
  settled(turn, id)
  if (sequenced.type === 'lost') return lost(turn, input, sequenced.commit)
  won(turn, id, sequenced.receipt)
}

/** The change made here is first. */
function won(turn: Turn, id: ConversationId, receipt: Uint8Array): void {
  const conversation = turn.conversation(id)
  const { pending: change } = conversation
  turn.setPending(id, undefined)
  // Another's message said so before: what came since is looked at now.
  if (change === undefined) return reconcile(turn, id)
  const { epoch, commit, welcomes } = change
  const ended = conversation.epochs.find(
    (one) => one.groupId === epoch.groupId && one.epoch === epoch.epoch - 1
  )
  if (ended === undefined || !isNext(turn, id, epoch)) return
  queueCommit(turn, id, { tag: ended.tag, commit, receipt })
  apply(turn, id, change, receipt)
  for (const welcome of welcomes) sendWelcome(turn, id, welcome, epoch.groupId)
  reconcile(turn, id)
  pump(turn, id)
}

/** What has ended an epoch here that nothing came to end. */
export function decided(turn: Turn, input: Of<'decided'>): void {
  // One's own, of which the answer was lost: it is asked for again until it is known. The others find what is found
  // here as it was found here.
  if (turn.conversation(input.conversation).pending === undefined) lost(turn, input)
}

/**
 * Another's change was first. Who made it may never be heard of again: what it leads to is done here, and the others
 * are told of it with `commit`.
 */
function lost(
  turn: Turn,
  { conversation: id, epoch, sequenced }: Of<'sequenced' | 'decided'>,
  commit?: Uint8Array
): void {
  if (sequenced.type !== 'lost') return
  const { change, receipt, welcomes } = sequenced
  const { groupId } = epoch
  dropPending(turn, id, groupId)
  const stands = turn
    .conversation(id)
    .incarnations.find((one) => one.groupId === groupId && one.epoch === epoch.epoch)
  if (stands === undefined) {
    // Its own message came meanwhile.
    if (receipt !== undefined) compareReceipts(turn, id, epoch, receipt)
    return reconcile(turn, id)
  }
  take(turn, id, epoch, { change, commit, receipt: receipt ?? NO_RECEIPT })
  if (change.type !== 'applied' || receipt === undefined) return
  if (commit !== undefined) queueCommit(turn, id, { tag: epoch.tag, commit, receipt })
  for (const welcome of welcomes) sendWelcome(turn, id, welcome, epoch.groupId)
  pump(turn, id)
}

interface TakenChange {
  readonly change: OpenedChange
  readonly commit: Uint8Array | undefined
  readonly receipt: Uint8Array
}

/** Does what a change leads to that the sequencer put first in this epoch, however it came here. */
export function take(
  turn: Turn,
  id: ConversationId,
  { groupId }: EpochState,
  { change, commit, receipt }: TakenChange
): void {
  const { pending } = turn.conversation(id)
  // One's own, which another found before the answer came: no device can process what it made itself.
  const isOwn = commit !== undefined && pending !== undefined && equals(pending.commit, commit)
  if (isOwn && change.type === 'refused' && change.endsGroup) return won(turn, id, receipt)
  if (change.type === 'applied') return follow(turn, id, { group: change.group, receipt })
  if (change.type === 'removed') return leave(turn, id)
  turn.log({ type: 'notice', text: `A change of a group was refused: ${change.reason}.` })
  if (change.endsGroup) end(turn, id, groupId)
}

/** No change can follow one that was put first and is refused: the chat goes on in a group that begins anew. */
function end(turn: Turn, id: ConversationId, groupId: string): void {
  const conversation = turn.conversation(id)
  const group = conversation.incarnations.find((one) => one.groupId === groupId)
  if (conversation.phase === 'left' || group === undefined || group.isOver === true) return
  dropPending(turn, id, groupId)
  if (turn.endGroup(id, groupId)) return reconcile(turn, id)
  turn.log({
    type: 'notice',
    text: 'A chat was stopped by a change that nobody can follow: it begins anew, and nothing of it is lost.'
  })
  pump(turn, id)
}

/** The change that was made of this group is of no use any more. One of another may be what its sequencer puts first. */
function dropPending(turn: Turn, id: ConversationId, groupId: string): void {
  const { pending } = turn.conversation(id)
  if (pending?.epoch.groupId === groupId) turn.setPending(id, undefined)
}

/** Whether the group stands right before this epoch. */
function isNext(turn: Turn, id: ConversationId, { groupId, epoch }: EpochState): boolean {
  return turn
    .conversation(id)
    .incarnations.some((group) => group.groupId === groupId && group.epoch === epoch - 1)
}

/** A commit of another device, opened and found good, moves the group on. One that came late changes nothing. */
function follow(
  turn: Turn,
  id: ConversationId,
  { group, receipt }: { group: ChangedEpoch; receipt: Uint8Array }
): void {
  if (!isNext(turn, id, group.epoch)) return
  dropPending(turn, id, group.epoch.groupId)
  apply(turn, id, group, receipt)
  reconcile(turn, id)
}

/** A commit of an epoch that another one has ended here: its receipt contradicts the one followed, or is forged. */
export function compareReceipts(
  turn: Turn,
  id: ConversationId,
  epoch: EpochState,
  receipt: Uint8Array
): void {
  const followed = followedAfter(turn, id, epoch)
  if (followed === undefined || equals(followed, receipt)) return
  const receipts = [followed, receipt] as const
  turn.perform({ type: 'check-receipts', conversation: id, epoch, receipts })
}

/** The receipt that ended an epoch here. */
function followedAfter(
  turn: Turn,
  id: ConversationId,
  { groupId, epoch }: EpochState
): Uint8Array | undefined {
  return turn
    .conversation(id)
    .epochs.find((one) => one.groupId === groupId && one.epoch === epoch + 1)?.receipt
}

/** Whether what came in the place of a commit is a receipt: the word of a member who has found two. */
export function isReceipt(commit: Uint8Array): boolean {
  const signed = decodeOrUndefined(sequencer.SignedReceipt, commit, sequencer.RECEIPT_BYTES_MAX)
  return signed !== undefined && signed.signature.byteLength === SIGNATURE_BYTES
}

/** Has the two compared: whether they are of this group and contradict each other is not taken on anybody's word. */
export function compareTold(
  turn: Turn,
  id: ConversationId,
  epoch: EpochState,
  { commit, receipt }: envelope.GroupCommit
): void {
  const receipts = [receipt, commit] as const
  turn.perform({ type: 'check-receipts', conversation: id, epoch, receipts })
}

/**
 * The sequencer signed two changes for one epoch: the group is in two halves that read each other no more. Both are
 * told, with the proof, in the last epoch that both read and in the one in which this half stands, and the chat
 * begins anew for all of them.
 */
export function forked(turn: Turn, { conversation: id, epoch, receipts }: Of<'forked'>): void {
  const { incarnations, epochs, phase } = turn.conversation(id)
  const { groupId } = epoch
  const group = incarnations.find((one) => one.groupId === groupId)
  if (phase === 'left' || group === undefined || group.isOver === true) return
  const stands = epochs.find((one) => one.groupId === groupId && one.epoch === group.epoch)
  const [receipt, commit] = receipts
  for (const tag of new Set([stands?.tag ?? epoch.tag, epoch.tag])) {
    queueCommit(turn, id, { tag, commit, receipt })
  }
  end(turn, id, groupId)
}

function apply(turn: Turn, id: ConversationId, group: ChangedEpoch, receipt: Uint8Array): void {
  const { groupId, epoch } = group.epoch
  const before = turn
    .conversation(id)
    .epochs.find((one) => one.groupId === groupId && one.epoch === epoch - 1)
  turn.changeGroup(id, group, receipt)
  const without = (all: readonly Member[], others: readonly Member[]) =>
    all.filter(({ device }) => !others.some((other) => other.device === device))
  turn.announce({
    type: 'members',
    conversation: id,
    added: without(group.epoch.members, before?.members ?? []),
    removed: without(before?.members ?? [], group.epoch.members)
  })
  releaseWaiting(turn)
  openKeptReceipts(turn)
  tellAddresses(turn, id)
}

/** This device was removed: it sends nothing more here, and what it has stays readable. */
function leave(turn: Turn, id: ConversationId): void {
  const conversation = turn.conversation(id)
  turn.setConversation({ ...conversation, phase: 'left', unsealed: [] })
  turn.log({
    type: 'notice',
    text: 'This device was removed from its account: it takes part in nothing more.'
  })
}
