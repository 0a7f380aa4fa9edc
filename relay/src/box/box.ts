// The nouns of the box service: one box as the relay sees it, an append that waits, where an envelope is.
import type { box as protocol } from '@kith/protocols'

/** A box is named by a small integer inside this relay; keys hold it instead of the account. */
export type BoxNumber = number

/** One entry from a sender without a delivery token that no device has acknowledged yet. */
export interface StrangerEntry {
  readonly number: number
  /** The sender's own box. */
  readonly sender: BoxNumber
  readonly bytes: number
}

/** The end of one box's log, how full it is, and what strangers have put in. The box machine owns it. */
export interface Box {
  readonly box: BoxNumber
  /** 32 bytes, account */
  readonly account: Uint8Array
  /** Number of the last entry; 0 when empty. */
  number: number
  /** 32 bytes, chain value at `number` */
  chain: Uint8Array
  /** Sum of the sizes of the envelopes it refers to. */
  bytes: number
  /** Ascending by number; at most STRANGER_ENTRIES_MAX. */
  strangers: readonly StrangerEntry[]
}

/** Where an envelope already is. */
export interface Placement {
  readonly box: BoxNumber
  readonly number: number
}

export interface BoxLimits {
  readonly boxEntriesMax: number
  readonly boxBytesMax: number
  /** Of all strangers together. */
  readonly strangerEntriesMax: number
  readonly strangerBytesMax: number
  /** Of one stranger's account. */
  readonly eachStrangerEntriesMax: number
  readonly eachStrangerBytesMax: number
}

/** One box an envelope is to be put into. */
export interface Destination {
  readonly box: BoxNumber
  /** The sender showed a valid delivery token, or it is the sender's own box. */
  readonly trusted: boolean
  /** Its owner takes nothing from the sender; answered as strangers are whose quota is used up. */
  readonly isBlocked?: boolean
}

/** One request that waits for its numbers. */
export interface Append {
  /** Names the waiting request. */
  readonly ticket: number
  /** Map key of the appending device's public key. */
  readonly device: string
  /** Map key of the envelope's id. */
  readonly id: string
  /** 32 bytes, SHA-256 of the envelope */
  readonly envelopeId: Uint8Array
  readonly envelope: Uint8Array
  /** The sender's own box first, then the targets in the order of the request, each box once. */
  readonly destinations: readonly Destination[]
}

/** Why an append was not taken. */
export interface Refusal {
  readonly code: 'quota' | 'unavailable'
  /** Machine-readable: which destination (0 is the sender's own box) and what was full. */
  readonly detail: string
}

/** What becomes of one append: its number in the sender's own box, or why not. */
export type Answer = { readonly number: number } | Refusal

export interface NewEntry {
  readonly number: number
  readonly append: Append
}

/** New entries of one box and its head after them. */
export interface Publication {
  readonly box: BoxNumber
  readonly receivedAtMs: number
  readonly entries: readonly NewEntry[]
  readonly head: protocol.SignedHead
}
