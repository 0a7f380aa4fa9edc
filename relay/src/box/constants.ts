// Limits of boxes: each with its reason.
import { KIB, MIB } from '@kith/protocols'

/** Appends that wait while a commit is in flight; four times the 256 a busy relay is measured with. */
export const QUEUE_APPENDS_MAX = 1_024
/** Bytes of envelopes that wait; 64 of the largest. More would only move the wait from sender to relay. */
export const QUEUE_BYTES_MAX = 4 * MIB
/** When a refused sender should try again: a few commits later, even on a slow disk. */
export const QUEUE_RETRY_MS = 250
/** Entries of one group commit; bounds the time one commit keeps the event loop (about 10 ms). */
export const COMMIT_ENTRIES_MAX = 8_192
/** Envelope ids placed lately. Must exceed what can be placed while one lookup is under way: the commit in
 * flight and everything queued before it (two times QUEUE_APPENDS_MAX). */
export const RECENT_PLACEMENTS = 8 * QUEUE_APPENDS_MAX
/** Ids read from disk in one step at the start; keeps the event loop for about a millisecond. */
export const HELD_IDS_PER_INPUT = 1_024
/** Writes that nobody waits for ride in the next group commit, or alone after this time. */
export const LAZY_WRITE_DELAY_MS = 500
/** Lazy writes that may wait; more make a commit at once, so memory stays bounded (slots are 16 KiB). */
export const LAZY_WRITES_MAX = 512

/** What one account may keep on this relay unless the operator says otherwise. */
export const BOX_ENTRIES_MAX = 100_000
export const BOX_BYTES_MAX = 512 * MIB
/** From senders without a token, until a device acknowledges past them; SimpleX queues hold 128. */
export const STRANGER_ENTRIES_MAX = 128
export const STRANGER_BYTES_MAX = MIB
/** Of these, from one account: an introduction and a few messages. Seven strangers fill a box, one does not. */
export const EACH_STRANGER_ENTRIES_MAX = 20
export const EACH_STRANGER_BYTES_MAX = 64 * KIB

/** Entries and envelope bytes of one pushed item; the protocol carries at most 256 and 512 KiB. */
export const ITEM_ENTRIES_MAX = 256
export const ITEM_BYTES_MAX = 256 * KIB
/** Entries kept in memory for boxes somebody is subscribed to, so that a live push reads no disk. */
export const CACHE_ENTRIES_MAX = 16_384
export const CACHE_BYTES_MAX = 32 * MIB

/**
 * Turns of the microtask queue before a commit is signed: the store hands a batch to LevelDB's own thread within two
 * (measured). Fewer, and the disk waits for the signature; more changes nothing.
 */
export const TURNS_BEFORE_SIGNING = 3
