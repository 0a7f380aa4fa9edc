// The state of delivery and everything that can happen to it: types only. The decisions are in outbox.ts,
// inbox.ts and receipts.ts, dispatched by step.ts; nothing here or there reads a clock, a store or a network.
import type {
  AccountId,
  box,
  ConversationId,
  DeviceId,
  envelope,
  MessageId,
  RelayId
} from '@kith/protocols'
import type { DeliveryPath } from '../api.ts'
import type { Ranges } from '../conversations/counters.ts'
import type { SlotTag } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { StoredMessage } from '../conversations/message.ts'
import type { Head } from '../conversations/ordering.ts'
import type { GroupSnapshot, Member } from '../groups/group-crypto.ts'
import type { CommitEffect } from '../kernel/machine.ts'
import type { Write } from '../kernel/store/store.ts'
import type { Change, IntroductionRecord } from './records.ts'

export interface ReceiptState {
  /** Version of what this device last sealed; grows with every sealing. */
  readonly version: number
  /** There is something to tell that no home has confirmed. */
  readonly isDue: boolean
  /** Monotonic time of the last sealing, for the rate. */
  readonly sealedAtMs: number
  readonly timer: boolean
  /** A sealing is in flight. */
  readonly sealing: boolean
  /** More came while it was. */
  readonly isStale: boolean
}

export interface ConversationState {
  /** Local integer, the name of this conversation on disk. */
  readonly local: number
  readonly id: ConversationId
  readonly peer: AccountId
  /** `joining`: another own device has the group and adds this one. `left`: this device was removed. */
  readonly phase: 'new' | 'starting' | 'ready' | 'joining' | 'left'
  /** A change of the group's members is being made. */
  readonly changing: boolean
  /** Where devices of the peer can be reached directly, by what they last said. */
  readonly addresses: ReadonlyMap<DeviceId, readonly string[]>
  /** Counters of own devices (this one and others) that a device of the peer holds. */
  readonly delivered: ReadonlyMap<DeviceId, Ranges>
  /** This device's last used counter. */
  readonly counter: number
  readonly deepest: number
  readonly heads: readonly Head[]
  readonly received: ReadonlyMap<DeviceId, Ranges>
  /** Named by others, not held. At most `MISSING_HEADS_MAX`. */
  readonly missingHeads: readonly MessageId[]
  readonly incarnations: readonly Incarnation[]
  readonly epochs: readonly EpochState[]
  /** This device has told the peer its name and delivery secret. */
  readonly introduced: boolean
  readonly receipt: ReceiptState
  /** Local numbers of outbox entries that wait for their seal, in order. */
  readonly unsealed: readonly number[]
  /** What is being sealed; one at a time. */
  readonly sealing: Sealing | undefined
}

export interface Sealing {
  readonly local: number
  readonly named: readonly MessageId[]
}

export interface OutboxEntry {
  readonly local: number
  readonly conversation: ConversationId
  readonly kind: 'text' | 'introduction' | 'welcome' | 'commit'
  readonly text: string
  /** Of a commit: what is sealed, in the epoch that it ends. */
  readonly change: QueuedChange | undefined
  readonly composedAtMs: number
  /** Present once sealed; sent again with identical bytes ever after. */
  readonly sealed: SealedEntry | undefined
  readonly target: AccountId
  /** Relays that hold it durably. */
  readonly acceptedBy: readonly RelayId[]
  /** How a device of the recipient got it, once one has it. */
  readonly deliveredBy: DeliveryPath | undefined
  /** Code of the last refusal, while it stands. */
  readonly refusal: string | undefined
}

export interface QueuedChange {
  /** Hex of the tag of the epoch to seal in. */
  readonly tag: string
  readonly commit: Uint8Array
  readonly receipt: Uint8Array
}

export interface SealedEntry {
  readonly id: MessageId
  readonly envelope: Uint8Array
  readonly counter: number
  readonly depth: number
}

/** How far this device has durably taken one relay's log of its box. */
export interface Cursor {
  readonly relay: RelayId
  /** Local integer, the name of this cursor on disk. */
  readonly local: number
  /** 16 bytes */
  readonly storeEpoch: Uint8Array
  readonly number: number
  /** 32 bytes, chain value at that number. */
  readonly chain: Uint8Array
}

export interface IncomingEntry {
  /** Number in the log it came from; 0 for an envelope that waited or came directly. */
  readonly number: number
  readonly id: MessageId
  /** Undefined when the body was elided. */
  readonly envelope: Uint8Array | undefined
  readonly path: DeliveryPath
  /** Local integer of the waiting record it comes from. */
  readonly waiting: number | undefined
  /** Request of a direct delivery that waits for this entry. */
  readonly request: number | undefined
  /** Where its log stands after it; undefined for what came another way, and for a log that is read again. */
  readonly cursor: Cursor | undefined
}

/** Where envelopes come from: one queue for each relay's log, one for those that waited for their epoch, one for
 * those that devices brought. */
export type Source = RelayId | 'waiting' | 'direct'

export interface Intake {
  readonly pending: readonly IncomingEntry[]
  /** Numbers of entries that came without their body though this device does not have it. */
  readonly withheld?: ReadonlySet<number>
  /** Chain after the last pending entry. */
  readonly cursor: Cursor | undefined
}

export interface Opening {
  readonly source: Source
  /** Entries from the front of the source's `pending`. */
  readonly count: number
}

export interface WaitingEnvelope {
  readonly local: number
  readonly id: MessageId
  readonly envelope: Uint8Array
  readonly path: DeliveryPath
}

export interface DeliveryState {
  readonly self: Member
  /** What an introduction tells. */
  readonly profile: envelope.Introduction
  /** Last used local numbers. */
  readonly lastLocal: number
  readonly lastConversation: number
  readonly lastTransaction: number
  readonly lastWaiting: number
  readonly conversations: ReadonlyMap<ConversationId, ConversationState>
  /** By hex of the epoch tag. */
  readonly tags: ReadonlyMap<string, TagOwner>
  /** By hex of the slot tag. */
  readonly slotTags: ReadonlyMap<string, SlotOwner>
  readonly outbox: ReadonlyMap<number, OutboxEntry>
  readonly cursors: ReadonlyMap<RelayId, Cursor>
  readonly intakes: ReadonlyMap<Source, Intake>
  /** What is being opened, one at a time: duplicates are found only among what is on disk. */
  readonly opening: Opening | undefined
  readonly waiting: readonly WaitingEnvelope[]
  /** Where this device can be reached directly; told in receipts. */
  readonly addresses: readonly string[]
  /** Home relays with an open session. */
  readonly online: ReadonlySet<RelayId>
  /** Accounts whose first contact may be answered with an introduction. */
  readonly friends: ReadonlySet<AccountId>
}

export interface TagOwner {
  readonly conversation: ConversationId
  readonly epoch: EpochState
}

export interface SlotOwner {
  readonly conversation: ConversationId
  readonly member: Member
  readonly archiveKey: Uint8Array
}

/** What came out of opening one entry. */
export type Opened =
  | { readonly type: 'skipped' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'unreadable' }
  | { readonly type: 'unknown-tag' }
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

export type OpenedChange =
  | { readonly type: 'applied'; readonly group: ChangedEpoch }
  /** The commit removes this very device. */
  | { readonly type: 'removed' }
  | { readonly type: 'refused'; readonly reason: string }

/** A group after a change of its members. */
export interface ChangedEpoch {
  readonly state: Uint8Array
  readonly epoch: EpochState
  readonly slots: readonly SlotTag[]
}

/** A change this device made, which the sequencer has put first. */
export interface GroupChange extends ChangedEpoch {
  readonly commit: Uint8Array
  readonly receipt: Uint8Array
  /** One sealed welcome for each device added, with the account whose box it goes to. */
  readonly welcomes: readonly SealedWelcome[]
}

export interface SealedWelcome {
  readonly id: MessageId
  readonly envelope: Uint8Array
  readonly account: AccountId
}

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
  | { readonly type: 'accepted'; readonly local: number; readonly relay: RelayId }
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
      readonly archiveKey?: Uint8Array
    }
  | { readonly type: 'befriend'; readonly account: AccountId }
  /** Account logs have changed: groups may have to follow. */
  | { readonly type: 'reconcile'; readonly conversation: ConversationId }
  | {
      readonly type: 'changed'
      readonly conversation: ConversationId
      /** Undefined: there was nothing to change, or another's change came first. */
      readonly change: GroupChange | undefined
    }
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
}

export interface SealRequest {
  readonly local: number
  readonly archiveKey: Uint8Array
  readonly counter: number
  readonly content: envelope.Content
}

export type DeliveryEvent =
  | { readonly type: 'composed'; readonly request: number; readonly entry: OutboxEntry }
  | { readonly type: 'message'; readonly message: StoredMessage }
  | {
      readonly type: 'progress'
      readonly entry: OutboxEntry
    }
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
  /** An account founded a conversation with this one. */
  | { readonly type: 'joined'; readonly account: AccountId }
  | { readonly type: 'notice'; readonly text: string }

export type Gap =
  | { readonly device: DeviceId; readonly from: number; readonly to: number }
  | { readonly message: MessageId }

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
      readonly head: box.SignedHead
      readonly storeEpoch: Uint8Array
    }
  | { readonly type: 'distrust'; readonly relay: RelayId; readonly reason: string }
  | { readonly type: 'timer'; readonly delayMs: number; readonly input: Input }
  | { readonly type: 'event'; readonly event: DeliveryEvent }
