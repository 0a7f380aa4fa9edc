// Envelopes: the sealed unit that travels, and what is inside it. See README.md.
import { KIB } from '../units.ts'

/** Largest encoded envelope; a relay refuses more. The largest bucket plus header and seals. */
export const ENVELOPE_BYTES_MAX = 64 * KIB
/** Longest text of one message in UTF-8 bytes; four times what Telegram takes in one message. */
export const TEXT_BYTES_MAX = 16 * KIB
export const HEADS_MAX = 8
export const EPOCH_TAG_BYTES = 16
export const SALT_BYTES = 16
export const COMMITMENT_BYTES = 32
export const AUTHENTICATOR_BYTES = 8
export const SLOT_BYTES_MAX = 16 * KIB
export const SLOT_TAG_BYTES = 16
export const DELIVERY_SECRET_BYTES = 32
export const DELIVERY_TOKEN_BYTES = 32

export * from './pb/envelope.ts'
