// The state of delivery: types only. What decides over it is dispatched by step.ts and reads no clock, store or network.
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
import type { Head } from '../conversations/ordering.ts'
import type { Member } from '../groups/group-crypto.ts'
import type { Cursor, Place, RelayWatch } from './relay-log.ts'

export type * from './relay-log.ts'

export interface ReceiptState {
  /** Version of what this device last sealed; grows with every sealing. */
  readonly version: number
  /** There is something to tell that no home has confirmed. */
  readonly isDue: boolean
  /** When it was last sealed, by the clock of this device. */
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
  /** A change that was made here and may be the one the sequencer has put first: asked for until it says. */
  readonly pending: MadeChange | undefined
  /** Where devices of the peer can be reached directly, by what they last said. */
  readonly addresses: ReadonlyMap<DeviceId, readonly string[]>
  /** Devices, own ones too, of which receipts show that they have joined the group that everyone sends in. */
  readonly joined?: { readonly groupId: string; readonly devices: readonly DeviceId[] }
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
  /** Of a welcome: the group that it invites to, in hex. */
  readonly group?: string
  readonly composedAtMs: number
  /** Present once sealed; sent again with identical bytes ever after. */
  readonly sealed: SealedEntry | undefined
  readonly target: AccountId
  /** Relays that hold it durably. */
  readonly acceptedBy: readonly RelayId[]
  /** Where relays said it is in their logs. Absent: nowhere yet. */
  readonly places?: readonly Place[]
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

/** Where envelopes come from: each relay's log, those that waited for their epoch, those that devices brought. */
export type Source = RelayId | 'waiting' | 'direct'

export interface Intake {
  readonly pending: readonly IncomingEntry[]
  /** Receipts of groups that this device has not joined yet, the latest last. */
  readonly unopened?: readonly box.Slot[]
  /** A timer is set for what was postponed. */
  readonly timer?: boolean
  /** Numbers of entries that came without their body though this device does not have it. */
  readonly withheld?: ReadonlySet<number>
  readonly watch?: RelayWatch
  /** Where the log was taken to, while that is not on disk; see cursors.ts. */
  readonly taken?: Cursor | undefined
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
  /** To be opened again now and then: its sender could not be looked up. */
  readonly postponed: boolean
}

export interface DeliveryState {
  readonly self: Member
  /** What an introduction tells. */
  readonly profile: envelope.Introduction
  /** Last used local numbers. */
  readonly lastLocal: number
  /** Local numbers up to this one are written down as used, so that most messages need not write it. */
  readonly reservedLocal: number
  readonly lastConversation: number
  readonly lastTransaction: number
  readonly lastWaiting: number
  readonly conversations: ReadonlyMap<ConversationId, ConversationState>
  /** By hex of the epoch tag. */
  readonly tags: ReadonlyMap<string, TagOwner>
  /** By hex of the slot tag. */
  readonly slotTags: ReadonlyMap<string, SlotOwner>
  /** Changed in place: a copy for each message would cost as much as the outbox is long. */
  readonly outbox: Map<number, OutboxEntry>
  /** Of all entries, as `entryBytes` counts them. */
  readonly outboxBytes: number
  /** Those of the outbox that are welcomes. */
  readonly welcomes: Map<number, OutboxEntry>
  readonly cursors: ReadonlyMap<RelayId, Cursor>
  readonly intakes: ReadonlyMap<Source, Intake>
  /** What is being opened, one at a time: duplicates are found only among what is on disk. */
  readonly opening: Opening | undefined
  readonly waiting: readonly WaitingEnvelope[]
  /** Conversations whose sequencer is to be asked for a change that may have been missed. */
  readonly missed: readonly ConversationId[]
  /** Where this device can be reached directly; told in receipts. */
  readonly addresses: readonly string[]
  /** Home relays with an open session. */
  readonly online: ReadonlySet<RelayId>
  /** Accounts that are told who this one is and what of theirs has arrived: added or accepted by the user. */
  readonly friends: ReadonlySet<AccountId>
  /** Accounts of which nothing is kept. */
  readonly blocked: ReadonlySet<AccountId>
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

/** A group after a change of its members. */
export interface ChangedEpoch {
  readonly state: Uint8Array
  readonly epoch: EpochState
  readonly slots: readonly SlotTag[]
}

/** A change this device made. On disk before anybody hears of it: asked again, it must be the same. */
export interface MadeChange extends ChangedEpoch {
  readonly commit: Uint8Array
  /** One sealed welcome for each device added, with the account whose box it goes to. */
  readonly welcomes: readonly SealedWelcome[]
}

export interface SealedWelcome {
  readonly id: MessageId
  readonly envelope: Uint8Array
  readonly account: AccountId
}

/** What a commit leads to. */
export type OpenedChange =
  | { readonly type: 'applied'; readonly group: ChangedEpoch }
  /** The commit removes this very device. */
  | { readonly type: 'removed' }
  /** `endsGroup`: it is first by its receipt, so that no other can follow in its place. */
  | { readonly type: 'refused'; readonly reason: string; readonly endsGroup: boolean }

/** What the sequencer has put first. */
export type Sequenced =
  | { readonly type: 'won'; readonly receipt: Uint8Array }
  | {
      /** Another's change. */
      readonly type: 'lost'
      /** Undefined: it is no longer known. */
      readonly receipt: Uint8Array | undefined
      readonly change: OpenedChange
      /** Undefined: nobody can read it. */
      readonly commit: Uint8Array | undefined
      /** For those that it adds: who made it may have been unable to send them. */
      readonly welcomes: readonly SealedWelcome[]
    }

/** What is known to be missing. */
export type Gap =
  | { readonly device: DeviceId; readonly from: number; readonly to: number }
  | { readonly message: MessageId }

/** Two receipts of one group that cannot both be. */
export interface Contradiction {
  readonly conversation: ConversationId
  /** The epoch in which the other one came. */
  readonly epoch: EpochState
  /** The one followed here, or told first, and the other. */
  readonly receipts: readonly [Uint8Array, Uint8Array]
}
