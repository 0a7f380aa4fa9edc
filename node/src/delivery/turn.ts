// One step of delivery in the making: collects the next state, the writes of its one transaction, effects to
// perform at once, and effects that may happen only when the transaction is on disk.
import type { AccountId, ConversationId } from '@kith/protocols'
import type { SlotTag } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { DeliveryEvent, Effect, Stepped } from './inputs.ts'
import { entryBytes } from './outbox-limits.ts'
import type { Change, LoggedDeliveryEvent } from './records.ts'
import {
  changeDelete,
  changeWrite,
  conversationWrite,
  cursorWrite,
  epochWrite,
  incarnationWrite,
  numbersWrite,
  outboxDelete,
  outboxWrite
} from './records.ts'
import type {
  ChangedEpoch,
  ConversationState,
  Cursor,
  DeliveryState,
  Intake,
  MadeChange,
  OutboxEntry,
  Source
} from './state.ts'

/**
 * Local numbers written down as used at once. A restart skips what is left of them: with 2^48 numbers that is nothing,
 * and a smaller one only writes more often.
 */
const LOCALS_RESERVED = 256

/** Pure functions that decisions need. */
export interface Tools {
  /** 32 bytes, SHA-256 */
  sha256(...parts: Uint8Array[]): Uint8Array
}

export class Turn {
  readonly nowMs: number
  readonly tools: Tools
  #state: DeliveryState
  readonly #writes: Change[] = []
  readonly #effects: Effect[] = []
  readonly #durable: Effect[] = []
  readonly #dirty = new Set<ConversationId>()
  #numbers = false

  constructor(state: DeliveryState, nowMs: number, tools: Tools) {
    this.#state = state
    this.nowMs = nowMs
    this.tools = tools
  }

  get state(): DeliveryState {
    return this.#state
  }

  /** The finished step: one commit with everything written, then what depends on it. */
  finish(): Stepped {
    for (const id of this.#dirty) this.#writes.push(conversationWrite(this.conversation(id)))
    if (this.#numbers) {
      const { reservedLocal } = this.#state
      this.#writes.push(numbersWrite({ ...this.#state, lastLocal: reservedLocal }))
    }
    if (this.#writes.length === 0) {
      const { lastTransaction } = this.#state
      const durable = this.#durable.map((effect) => ({ ...effect, after: lastTransaction }))
      return { state: this.#state, effects: [...durable, ...this.#effects] }
    }
    const transaction = this.#state.lastTransaction + 1
    return {
      state: { ...this.#state, lastTransaction: transaction },
      effects: [
        { type: 'commit', transaction, writes: this.#writes },
        ...this.#durable.map((effect) => ({ ...effect, after: transaction })),
        ...this.#effects
      ]
    }
  }

  /** Performed at once, whatever becomes of the transaction. */
  perform(effect: Effect): void {
    this.#effects.push(effect)
  }

  /** Performed once this step's transaction, or the last one when it writes nothing, is on disk. */
  whenDurable(effect: Effect): void {
    this.#durable.push(effect)
  }

  /** Tells the outside, once durable. */
  announce = (event: DeliveryEvent): void => this.whenDurable({ type: 'event', event })

  /** The same, and writes it down in this step's transaction. */
  log(event: LoggedDeliveryEvent): void {
    this.write({ type: 'event', event })
    this.announce(event)
  }

  write(change: Change): void {
    this.#writes.push(change)
  }

  patch(change: Partial<DeliveryState>): void {
    this.#state = { ...this.#state, ...change }
  }

  /** The next number of a kind, never used again. */
  next(kind: 'lastLocal' | 'lastConversation' | 'lastWaiting'): number {
    const value = this.#state[kind] + 1
    this.patch({ [kind]: value })
    if (kind !== 'lastLocal') this.#numbers = true
    else if (value > this.#state.reservedLocal) {
      this.patch({ reservedLocal: value + LOCALS_RESERVED - 1 })
      this.#numbers = true
    }
    return value
  }

  conversation(id: ConversationId): ConversationState {
    const conversation = this.#state.conversations.get(id)
    if (conversation === undefined)
      throw new Error('a conversation that does not exist was addressed')
    return conversation
  }

  /** The conversation with this account, made when there is none. */
  ensureConversation(id: ConversationId, peer: AccountId): ConversationState {
    const existing = this.#state.conversations.get(id)
    if (existing !== undefined) return existing
    const conversation: ConversationState = {
      local: this.next('lastConversation'),
      id,
      peer,
      phase: 'new',
      changing: false,
      pending: undefined,
      delivered: new Map(),
      addresses: new Map(),
      counter: 0,
      deepest: 0,
      heads: [],
      received: new Map(),
      missingHeads: [],
      incarnations: [],
      epochs: [],
      introduced: false,
      receipt: {
        version: 0,
        isDue: false,
        sealedAtMs: 0,
        timer: false,
        sealing: false,
        isStale: false
      },
      unsealed: [],
      sealing: undefined
    }
    this.setConversation(conversation)
    return conversation
  }

  /** Replaces the conversation and has its record written. */
  setConversation(conversation: ConversationState): void {
    this.updateConversation(conversation)
    this.#dirty.add(conversation.id)
  }

  /** Replaces the conversation in memory only: for what a restart may forget. */
  updateConversation(conversation: ConversationState): void {
    this.patch({
      conversations: new Map(this.#state.conversations).set(conversation.id, conversation)
    })
  }

  addGroup(
    id: ConversationId,
    group: { incarnation: Incarnation; epoch: EpochState; slots: readonly SlotTag[] }
  ): void {
    const conversation = this.conversation(id)
    const { incarnation, epoch, slots } = group
    this.write(incarnationWrite(conversation.local, conversation.incarnations.length, incarnation))
    this.setConversation({
      ...conversation,
      phase: 'ready',
      incarnations: [...conversation.incarnations, incarnation]
    })
    this.#addEpoch(id, epoch, slots)
  }

  /** Keys of a group of the conversation, to read by. Its state stays as it is. */
  addKeys(id: ConversationId, group: Pick<ChangedEpoch, 'epoch' | 'slots'>): void {
    this.#addEpoch(id, group.epoch, group.slots)
  }

  /** Moves a group of the conversation on to its next epoch; older ones stay readable. */
  changeGroup(
    id: ConversationId,
    { state, epoch, slots }: ChangedEpoch,
    receipt: Uint8Array
  ): void {
    const conversation = this.conversation(id)
    const index = conversation.incarnations.findIndex(({ groupId }) => groupId === epoch.groupId)
    const before = conversation.incarnations[index]
    if (before === undefined) throw new Error('a group that does not exist was changed')
    const after = { ...before, epoch: epoch.epoch, state }
    this.write(incarnationWrite(conversation.local, index, after))
    this.setConversation({
      ...conversation,
      incarnations: conversation.incarnations.with(index, after)
    })
    this.#addEpoch(id, { ...epoch, receipt }, slots)
  }

  /** Nothing is sent in this group any more. Says whether the conversation has another one to go on with. */
  endGroup(id: ConversationId, groupId: string): boolean {
    const conversation = this.conversation(id)
    const index = conversation.incarnations.findIndex((one) => one.groupId === groupId)
    const before = conversation.incarnations[index]
    if (before === undefined) throw new Error('a group that does not exist was ended')
    const after: Incarnation = { ...before, isOver: true }
    this.write(incarnationWrite(conversation.local, index, after))
    const incarnations = conversation.incarnations.with(index, after)
    const goesOn = incarnations.some(({ isOver }) => isOver !== true)
    this.setConversation({
      ...conversation,
      incarnations,
      phase: goesOn ? conversation.phase : 'new'
    })
    return goesOn
  }

  #addEpoch(id: ConversationId, epoch: EpochState, slots: readonly SlotTag[]): void {
    const conversation = this.conversation(id)
    this.write(epochWrite(conversation.local, conversation.epochs.length, epoch))
    this.setConversation({ ...conversation, epochs: [...conversation.epochs, epoch] })
    const slotTags = new Map(this.#state.slotTags)
    for (const { tag, member } of slots) {
      slotTags.set(tag, { conversation: id, member, archiveKey: epoch.archiveKey })
    }
    this.patch({
      tags: new Map(this.#state.tags).set(epoch.tag, { conversation: id, epoch }),
      slotTags
    })
  }

  setAddresses(addresses: readonly string[]): void {
    this.patch({ addresses })
    this.#numbers = true
  }

  /** Keeps, or forgets, the change of a group that the sequencer is asked for. */
  setPending(id: ConversationId, pending: MadeChange | undefined): void {
    const conversation = this.conversation(id)
    if (conversation.pending === pending) return
    this.updateConversation({ ...conversation, pending })
    const { local } = conversation
    this.write(pending === undefined ? changeDelete(local) : changeWrite(local, pending))
  }

  setOutbox(entry: OutboxEntry): void {
    this.#count(entry.local, entry)
    this.#state.outbox.set(entry.local, entry)
    if (entry.kind === 'welcome') this.#state.welcomes.set(entry.local, entry)
    this.write(outboxWrite(entry))
  }

  deleteOutbox(local: number): void {
    this.#count(local, undefined)
    this.#state.outbox.delete(local)
    this.#state.welcomes.delete(local)
    this.write(outboxDelete(local))
  }

  /** Keeps the sum of all entries in step, before one of them becomes another. */
  #count(local: number, after: OutboxEntry | undefined): void {
    const { outbox, outboxBytes } = this.#state
    const before = outbox.get(local)
    const [less, more] = [before, after].map((entry) => (entry ? entryBytes(entry) : 0))
    this.patch({ outboxBytes: outboxBytes - (less ?? 0) + (more ?? 0) })
  }

  setCursor(cursor: Cursor): void {
    this.patch({ cursors: new Map(this.#state.cursors).set(cursor.relay, cursor) })
    this.write(cursorWrite(cursor))
  }

  intake(source: Source): Intake {
    return this.#state.intakes.get(source) ?? { pending: [], cursor: undefined }
  }

  setIntake(source: Source, intake: Intake): void {
    this.patch({ intakes: new Map(this.#state.intakes).set(source, intake) })
  }
}
