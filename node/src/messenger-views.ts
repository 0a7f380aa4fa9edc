// From what delivery keeps to what a person sees: names for accounts, sentences for codes.
import type { AccountId, DeviceId, MessageId } from '@kith/protocols'
import { compare } from 'uint8arrays/compare'
import { toString as toText } from 'uint8arrays/to-string'
import type { EvidenceView, GapView, MessageView, NodeEvent } from './api.ts'
import type { Contacts } from './contacts/contacts.ts'
import { hasCounter, missingRanges, type Ranges } from './conversations/counters.ts'
import type { StoredMessage } from './conversations/message.ts'
import { orderKey } from './conversations/ordering.ts'
import type { Evidence } from './delivery/evidence.ts'
import type { DeliveryEvent } from './delivery/inputs.ts'
import type { ConversationState, DeliveryState, Gap, OutboxEntry } from './delivery/state.ts'

/** Shown for a body that a later version wrote. */
const UNSUPPORTED_TEXT = '[a message this version cannot show]'

const REASONS: Readonly<Record<string, string>> = {
  'not-found': 'the relay does not know this contact',
  quota: "the contact's box is full, or takes no more from strangers",
  'rate-limited': 'the relay asks to slow down',
  unreachable: 'the relay cannot be reached',
  timeout: 'the relay does not answer',
  unavailable: 'the contact has published no keys to be reached with yet, or the relay is busy',
  forbidden: 'the relay does not let this device write',
  'too-large': 'the relay takes no message of this size',
  'false-log':
    "what the relay serves as the contact's account is not the contact's, so nothing was sent",
  'false-keys':
    "the relay offers keys of a device that is not one of the contact's, so nothing was sent",
  internal: 'something went wrong on the way'
}

/** Shown while a message is with a relay and nobody has the keys to read it. */
const UNOPENED = 'no device of the contact has opened this chat yet'

/** A short sentence for a refusal's code. */
export const reasonOf = (code: string | undefined): string | undefined =>
  code === undefined ? undefined : (REASONS[code] ?? `the relay refused it (${code})`)

/** Known to be held by a home and by a device of the recipient, nothing of it is left but to be seen in the log. */
export const isUnderWay = ({ acceptedBy, deliveredBy }: OutboxEntry): boolean =>
  acceptedBy.length === 0 || deliveredBy === undefined

/** The invitation to the chat's group is still here, and no device of the recipient is known to have taken it. */
export function isUnopened(
  { welcomes, conversations }: DeliveryState,
  { conversation: id, target }: OutboxEntry
): boolean {
  const isInvited = [...welcomes.values()].some(
    (welcome) => welcome.conversation === id && welcome.target === target
  )
  const { joined, epochs = [] } = conversations.get(id) ?? {}
  const members = epochs.flatMap((epoch) => epoch.members)
  const hasJoined = members.some(
    ({ account, device }) => account === target && joined?.devices.includes(device) === true
  )
  return isInvited && !hasJoined
}

/** Evidence as plain text, so that it travels anywhere. `index`: from 0, oldest first. */
export function evidenceView({ statements, ...evidence }: Evidence, index: number): EvidenceView {
  const [one, other] = statements
  return {
    number: index + 1,
    ...evidence,
    statements: [toText(one, 'base64pad'), toText(other, 'base64pad')]
  }
}

/** What the state of a message depends on besides itself. */
export interface MessageContext {
  /** Sealed entries still in the outbox. */
  readonly outbox: ReadonlyMap<MessageId, OutboxEntry>
  /** Counters of own devices that the other side holds. */
  readonly delivered: ReadonlyMap<DeviceId, Ranges>
}

/** What a list of a conversation is made of. */
export interface Listing {
  /** Newest of the timeline, oldest of them first, at most `limit`. */
  readonly stored: readonly StoredMessage[]
  /** Texts of the conversation that are in the outbox, in the order in which they were composed. */
  readonly entries: readonly OutboxEntry[]
  readonly delivered: MessageContext['delivered']
  readonly limit: number
}

/** Turns messages of this device into views. */
export class MessageViews {
  readonly #contacts: Contacts
  readonly #self: { readonly account: AccountId; readonly name: string }
  readonly #state: () => DeliveryState

  constructor(
    contacts: Contacts,
    self: { account: AccountId; name: string },
    state: () => DeliveryState
  ) {
    this.#contacts = contacts
    this.#self = self
    this.#state = state
  }

  /** What is still in the outbox. */
  ofEntry(entry: OutboxEntry): MessageView {
    const isAccepted = entry.acceptedBy.length > 0
    const { deliveredBy } = entry
    return {
      local: entry.local,
      id: entry.sealed?.id,
      conversation: entry.conversation,
      sender: this.#self.name,
      outgoing: true,
      text: entry.text,
      sentAtMs: entry.composedAtMs,
      storedAtMs: entry.composedAtMs,
      state: deliveredBy !== undefined ? 'delivered' : isAccepted ? 'accepted' : 'queued',
      relays: entry.acceptedBy.length,
      path: deliveredBy ?? (isAccepted ? 'relay' : undefined),
      reason: deliveredBy === undefined ? this.#reasonOf(entry) : undefined
    }
  }

  /** Why it is no further. */
  #reasonOf(entry: OutboxEntry): string | undefined {
    const isUnread = entry.acceptedBy.length > 0 && isUnopened(this.#state(), entry)
    return reasonOf(entry.refusal) ?? (isUnread ? UNOPENED : undefined)
  }

  /** What happened to delivery, as a user interface sees it; undefined when it does not. */
  ofEvent(event: DeliveryEvent): NodeEvent | undefined {
    switch (event.type) {
      case 'composed':
        return { type: 'message', message: this.ofEntry(event.entry) }
      case 'progress':
        if (event.entry.kind !== 'text') return undefined
        return { type: 'state', message: this.ofEntry(event.entry) }
      case 'message':
        return { type: 'message', message: this.ofStored(event.message) }
      case 'gap':
      case 'gap-closed':
        return {
          type: event.type,
          gap: { conversation: event.conversation, missing: event.gap }
        }
      case 'notice':
        return event
      default:
        return undefined
    }
  }

  /** What is in the timeline and not in the outbox. */
  ofStored(message: StoredMessage): MessageView {
    const conversation = this.#state().conversations.get(message.conversation)
    return this.ofMessage(message, {
      outbox: new Map(),
      delivered: conversation?.delivered ?? new Map()
    })
  }

  /** What is in the timeline. */
  ofMessage(message: StoredMessage, context: MessageContext): MessageView {
    const waiting = context.outbox.get(message.id)
    if (waiting !== undefined) return this.ofEntry(waiting)
    const outgoing = message.account === this.#self.account
    const held = context.delivered.get(message.device) ?? []
    return {
      local: message.local,
      id: message.id,
      conversation: message.conversation,
      sender: outgoing ? this.#self.name : this.nameOf(message.account),
      outgoing,
      text: message.raw === undefined ? message.text : UNSUPPORTED_TEXT,
      sentAtMs: message.sentAtMs,
      storedAtMs: message.storedAtMs,
      state: outgoing ? (hasCounter(held, message.counter) ? 'delivered' : 'accepted') : 'received',
      relays: 0,
      path: message.path,
      reason: undefined
    }
  }

  /**
   * The newest `limit` in the order of the conversation: what is on disk, what is sealed but not there yet, and
   * what waits for its seal.
   */
  list({ stored, entries, delivered, limit }: Listing): readonly MessageView[] {
    const isWhole = stored.length < limit
    const least = isWhole ? 0 : (stored[0]?.depth ?? 0)
    const onDisk = new Set(stored.map(({ id }) => id))
    const outbox = new Map<MessageId, OutboxEntry>()
    const ordered = stored.map((message) => ({ key: orderKey(message.depth, message.id), message }))
    const onTheWay: { key: Uint8Array; entry: OutboxEntry }[] = []
    for (const entry of entries) {
      const { sealed } = entry
      if (sealed === undefined) continue
      outbox.set(sealed.id, entry)
      if (onDisk.has(sealed.id) || sealed.depth < least) continue
      onTheWay.push({ key: orderKey(sealed.depth, sealed.id), entry })
    }
    const context = { outbox, delivered }
    const views = [
      ...ordered.map(({ key, message }) => ({ key, view: this.ofMessage(message, context) })),
      ...onTheWay.map(({ key, entry }) => ({ key, view: this.ofEntry(entry) }))
    ].sort((a, b) => compare(a.key, b.key))
    const unsealed = entries.filter(({ sealed }) => sealed === undefined)
    return [
      ...views.map(({ view }) => view),
      ...unsealed.map((entry) => this.ofEntry(entry))
    ].slice(-limit)
  }

  nameOf(account: AccountId): string {
    return this.#contacts.get(account)?.name ?? `~${account.slice(0, 8)}`
  }
}

/** Everything a conversation is known to lack. */
export function gapsOf(conversation: ConversationState): readonly GapView[] {
  const gaps: Gap[] = conversation.missingHeads.map((message) => ({ message }))
  for (const [device, ranges] of conversation.received) {
    for (const { from, to } of missingRanges(ranges)) gaps.push({ device, from, to })
  }
  return gaps.map((missing) => ({ conversation: conversation.id, missing }))
}

/** When the first of these was stored; 0 when the clock has been set back since, so that their times say nothing. */
export function beginningOf(shown: readonly MessageView[], nowMs: number): number {
  const beginning = Math.min(...shown.map(({ storedAtMs }) => storedAtMs))
  return beginning <= nowMs ? beginning : 0
}
