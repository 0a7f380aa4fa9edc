// What a device knows of one relay's log of its account's box: types only.
import type { MessageId, RelayId } from '@kith/protocols'

/** A place in one relay's log of the own box. */
export interface Place {
  readonly relay: RelayId
  /** 16 bytes */
  readonly storeEpoch: Uint8Array
  readonly number: number
}

/** A head of the own box that its relay signed, as another device of the account was shown it. */
export interface ShownHead extends Place {
  /** 32 bytes */
  readonly chain: Uint8Array
}

/** An own envelope that a relay said stands in the log, by its id and its number in the outbox. */
export interface PromisedEntry {
  readonly id: MessageId
  readonly local: number
}

/** What is held against one relay's log as it is followed. Changed in place: it grows and shrinks with each entry. */
export interface RelayWatch {
  /** Numbers not reached yet, with what has to be there. */
  readonly promised: Map<number, PromisedEntry>
  /** The latest entries, oldest first. */
  readonly recent: Map<number, MessageId>
  /** Chain values that another own device was shown, by numbers not reached yet. */
  readonly heads: Map<number, Uint8Array>
  /** Rounds in which the log stood still. */
  stillRounds: number
  hasTimer: boolean
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
