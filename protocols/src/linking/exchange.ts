// The exchange of two devices that are being linked: which message stands where, and the labels of its keys. The
// messages themselves are in pb/exchange.proto. See README.md.
import { fromString } from 'uint8arrays/from-string'
import { KIB } from '../units.ts'

/** ASCII text and a zero byte, like every label; see labels.ts. */
const label = (text: string): Uint8Array => fromString(`${text}\0`, 'ascii')

export const LINK_LABELS = {
  /** Where the two meet, from the secret in the code. */
  rendezvous: label('kith/link/rendezvous/1'),
  /** Keys from the secret in the code alone, one a position. */
  codeKey: label('kith/link/code-key/1'),
  /** Keys from secret, agreement and transcript, one a position. */
  agreedKey: label('kith/link/agreed-key/1'),
  /** The old device's promise of what it will reveal. */
  commitment: label('kith/link/commitment/1'),
  /** Hash of everything said before the emoji. */
  transcript: label('kith/link/transcript/1'),
  /** The emoji. */
  emoji: label('kith/link/emoji/1')
} as const

/** Positions of the messages; each is written once, by one side. */
export const LINK_POSITION = {
  offer: 0,
  hello: 1,
  reveal: 2,
  consent: 3,
  bundle: 4,
  done: 12,
  refusalOfOld: 13,
  refusalOfNew: 14
} as const

export const LINK_VERSION = 1
/** 128 bits: nobody guesses where two devices meet, or what they say there before they agree on keys. */
export const LINK_SECRET_BYTES = 16
/** Two agreements, a device and a nonce in 240 bytes; a name and room for later fields. */
export const LINK_TALK_BYTES_MAX = KIB
/** Of a bundle that fits nowhere else: an account log of 4,096 operations is 1.2 MiB. */
export const BUNDLE_PARTS_MAX = LINK_POSITION.done - LINK_POSITION.bundle
/** With nonce, tag and framing a part stays below LINK_MESSAGE_BYTES_MAX. */
export const BUNDLE_PART_BYTES_MAX = 255 * KIB
