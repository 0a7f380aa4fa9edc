// What happens to delivery and what it makes the shell do: inputs, effects and events. Types only.
import type {
  AccountId,
  box,
  ConversationId,
  DeviceId,
  envelope,
  MessageId,
  RelayId
} from '@kith/protocols'
import type { UserError } from '../api.ts'
import type { Ranges } from '../conversations/counters.ts'
import type { SlotTag } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { StoredMessage } from '../conversations/message.ts'
import type { GroupSnapshot, Member } from '../groups/group-crypto.ts'
import type { CommitEffect } from '../kernel/machine.ts'
import type { Write } from '../kernel/store/store.ts'
import type { Change, IntroductionRecord } from './records.ts'
import type {
  Contradiction,
  DeliveryState,
  Gap,
  IncomingEntry,
  MadeChange,
  OpenedChange,
  OutboxEntry,
  Place,
  SealedEntry,
  SealedWelcome,
  Sequenced,
  ShownHead,
  SlotOwner,
  Source,
  TagOwner
} from './state.ts'

/** What came out of opening one entry. */
export type Opened =
  | { readonly type: 'skipped' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'unreadable' }
  /** `postponed`: it may be a welcome, but who sent it could not be looked up now. */
  | { readonly type: 'unknown-tag'; readonly postponed?: boolean }
  | {
      readonly type: 'message'
      readonly account: AccountId
      readonly device: DeviceId
      readonly counter: number
      readonly content: envelope.Content
      readonly raw: Uint8Array
      readonly heads: readonly { readonly id: MessageId; readonly depth: number | undefined }[]
      /** What the commit in it leads to, when it holds one for the group as it is now. */
      readonly change: OpenedChange | undefined
    }
  | {
      readonly type: 'joined'
      readonly snapshot: GroupSnapshot
      readonly epoch: EpochState
      readonly slots: readonly SlotTag[]
      /** Deletes the consumed key package. */
      readonly writes: readonly Write[]
    }
  | { readonly type: 'refused'; readonly reason: string }

export interface StartedGroup {
  readonly snapshot: GroupSnapshot
  readonly epoch: EpochState
  readonly slots: readonly SlotTag[]
  /** One sealed welcome for each device added. */
  readonly welcomes: readonly SealedWelcome[]
}

export type Input =
  | {
      readonly type: 'compose'
      readonly request: number
      readonly conversation: ConversationId
      readonly peer: AccountId
      readonly text: string
    }
  | { readonly type: 'sealed'; readonly local: number; readonly sealed: SealedEntry }
  | {
      readonly type: 'started'
      readonly conversation: ConversationId
      readonly group: StartedGroup
    }
  | {
      readonly type: 'start-failed'
      readonly conversation: ConversationId
      readonly reason: string
      readonly retryAfterMs: number
    }
  | { readonly type: 'retry-start'; readonly conversation: ConversationId }
  | {
      readonly type: 'accepted'
      readonly local: number
      readonly relay: RelayId
      /** Where the relay says it is in its log of the own box. */
      readonly place?: Place
    }
  /** Time to see whether a relay's log shows what it was said to hold. */
  | { readonly type: 'promises-due'; readonly relay: RelayId }
  /** A cursor has waited long enough for something to be written with. */
  | { readonly type: 'cursor-due'; readonly relay: RelayId }
  | {
      readonly type: 'refused'
      readonly local: number
      readonly relay: RelayId
      readonly reason: string
      readonly retryAfterMs: number
    }
  | { readonly type: 'retry-append'; readonly local: number; readonly relay: RelayId }
  | { readonly type: 'online'; readonly relay: RelayId }
  | { readonly type: 'offline'; readonly relay: RelayId }
  | { readonly type: 'item'; readonly relay: RelayId; readonly item: box.SubscribeItem }
  | { readonly type: 'opened'; readonly source: Source; readonly results: readonly Opened[] }
  /** Opening could not be finished (a log could not be fetched): the same entries again. */
  | { readonly type: 'open-again' }
  | { readonly type: 'try-postponed' }
  | { readonly type: 'receipt-due'; readonly conversation: ConversationId }
  | {
      readonly type: 'receipt-sealed'
      readonly conversation: ConversationId
      /** A home holds it. */
      readonly confirmed: boolean
    }
  /** This device can be reached directly at these multiaddrs. */
  | { readonly type: 'addresses'; readonly addresses: readonly string[] }
  | {
      readonly type: 'receipt'
      readonly conversation: ConversationId
      readonly member: Member
      readonly delivered: ReadonlyMap<DeviceId, Ranges>
      readonly addresses: readonly string[]
      /** Key that opened it; which epoch its author had joined. */
      readonly archiveKey: Uint8Array | undefined
    }
  | { readonly type: 'befriend'; readonly account: AccountId }
  | { readonly type: 'block'; readonly account: AccountId }
  | { readonly type: 'unblock'; readonly account: AccountId }
  /** Account logs have changed: groups may have to follow. */
  | { readonly type: 'reconcile'; readonly conversation: ConversationId }
  | {
      readonly type: 'change-made'
      readonly conversation: ConversationId
      /** Undefined: there is nothing to change. */
      readonly change: MadeChange | undefined
    }
  | {
      readonly type: 'sequenced'
      readonly conversation: ConversationId
      /** The epoch that was to end. */
      readonly epoch: EpochState
      readonly sequenced: Sequenced
    }
  /** What the sequencer has put first in an epoch that nothing came to end. */
  | {
      readonly type: 'decided'
      readonly conversation: ConversationId
      readonly epoch: EpochState
      readonly sequenced: Sequenced
    }
  /** The sequencer has signed two changes that end this epoch. */
  | ({ readonly type: 'forked' } & Contradiction)
  /** Time to ask for changes that may have been missed. */
  | { readonly type: 'look-for-missed' }
  /** Nobody knows what became of it: the same again, later. */
  | { readonly type: 'change-failed'; readonly conversation: ConversationId }
  | ({ readonly type: 'shown-elsewhere' } & ShownHead)
  | { readonly type: 'device-online'; readonly device: DeviceId }
  | {
      readonly type: 'deliver'
      readonly request: number
      readonly envelopes: readonly { readonly id: MessageId; readonly envelope: Uint8Array }[]
    }
  /** A device holds these envelopes durably. */
  | { readonly type: 'held'; readonly device: DeviceId; readonly ids: readonly MessageId[] }

export interface OpenRequest {
  readonly entry: IncomingEntry
  readonly owner: TagOwner | undefined
  /** The group that a commit inside would change: only in its newest epoch. */
  readonly incarnation: Incarnation | undefined
  /** Counters of other devices that the conversation holds: with one that is not among them, a message is new. */
  readonly received: ReadonlyMap<DeviceId, Ranges> | undefined
}

export interface SealRequest {
  readonly local: number
  readonly archiveKey: Uint8Array
  readonly counter: number
  readonly content: envelope.Content
}

export type DeliveryEvent =
  | { readonly type: 'composed'; readonly request: number; readonly entry: OutboxEntry }
  /** A text was refused, and nothing of it kept. */
  | { readonly type: 'not-composed'; readonly request: number; readonly error: UserError }
  | { readonly type: 'message'; readonly message: StoredMessage }
  | { readonly type: 'progress'; readonly entry: OutboxEntry }
  | { readonly type: 'gap'; readonly conversation: ConversationId; readonly gap: Gap }
  | { readonly type: 'gap-closed'; readonly conversation: ConversationId; readonly gap: Gap }
  | {
      readonly type: 'introduced'
      readonly introduction: IntroductionRecord
    }
  | {
      readonly type: 'members'
      readonly conversation: ConversationId
      readonly added: readonly Member[]
      readonly removed: readonly Member[]
    }
  /** Another device of this account has introduced itself to the peer. */
  | { readonly type: 'befriended'; readonly account: AccountId }
  /** An account founded a conversation with this one. */
  | { readonly type: 'joined'; readonly account: AccountId }
  | { readonly type: 'notice'; readonly text: string }

export interface Stepped {
  readonly state: DeliveryState
  readonly effects: readonly (Effect | CommitEffect<Change>)[]
}

/** What the shell must do. `after` names the transaction that must be on disk first. */
export type Effect = EffectKind & { readonly after?: number }

type EffectKind =
  | ({ readonly type: 'seal' } & SealRequest)
  | { readonly type: 'start'; readonly conversation: ConversationId; readonly peer: AccountId }
  | { readonly type: 'append'; readonly relay: RelayId; readonly entry: OutboxEntry }
  | { readonly type: 'deliver'; readonly device: DeviceId; readonly entry: OutboxEntry }
  | {
      readonly type: 'change'
      readonly conversation: ConversationId
      readonly incarnation: Incarnation
      readonly epoch: EpochState
    }
  | {
      readonly type: 'sequence'
      readonly conversation: ConversationId
      readonly incarnation: Incarnation
      /** That the change ends. */
      readonly epoch: EpochState
      readonly change: MadeChange
    }
  /** Asks what has ended an epoch. */
  | {
      readonly type: 'ask-decided'
      readonly conversation: ConversationId
      readonly incarnation: Incarnation
      readonly epoch: EpochState
    }
  /** Answers a direct delivery: this envelope is held durably, or never will be. */
  | {
      readonly type: 'answer'
      readonly request: number
      readonly id: MessageId
      readonly held: boolean
    }
  | {
      readonly type: 'open'
      readonly source: Source
      readonly requests: readonly OpenRequest[]
    }
  | {
      readonly type: 'acknowledge'
      readonly relay: RelayId
      readonly storeEpoch: Uint8Array
      readonly number: number
    }
  | {
      readonly type: 'seal-receipt'
      readonly conversation: ConversationId
      readonly peer: AccountId
      readonly archiveKey: Uint8Array
      readonly version: number
      readonly received: ReadonlyMap<DeviceId, Ranges>
      readonly addresses: readonly string[]
    }
  | {
      readonly type: 'open-receipt'
      readonly owner: SlotOwner
      readonly slot: box.Slot
    }
  | {
      readonly type: 'check-head'
      readonly relay: RelayId
      /** It does not fit the log, so that its relay is distrusted already: only looked at for evidence. */
      readonly isRefused: boolean
      readonly head: box.SignedHead
      readonly storeEpoch: Uint8Array
    }
  /** Receipts of one epoch of a group for different commits: the one followed here, and another. */
  | ({ readonly type: 'check-receipts' } & Contradiction)
  | { readonly type: 'distrust'; readonly relay: RelayId; readonly reason: string }
  | { readonly type: 'timer'; readonly delayMs: number; readonly input: Input }
  | { readonly type: 'event'; readonly event: DeliveryEvent }
