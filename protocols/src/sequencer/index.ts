// The sequencer: which commit ended an epoch of a group, decided once and kept for who missed it. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, SECOND_MS } from '../units.ts'
import { DecidedRequest, SequenceRequest, SequenceResponse } from './pb/sequencer.ts'
import { RECEIPT_BYTES_MAX, SEALED_CHANGE_BYTES_MAX } from './receipt.ts'

/** A device added to a thousand chats commits once in each, or asks once about each. */
const PER_PEER = { count: 1_000, windowMs: 60 * SECOND_MS }
const TIMEOUT_MS = 15 * SECOND_MS
/** What was sealed, and receipts or hashes beside it. */
const MESSAGE_BYTES_MAX = SEALED_CHANGE_BYTES_MAX + 2 * RECEIPT_BYTES_MAX

export const sequencerAppend = defineProtocol<SequenceRequest, SequenceResponse>({
  id: '/kith/sequencer/append/1.0.0',
  lane: 'control',
  request: SequenceRequest,
  response: SequenceResponse,
  limits: {
    requestBytes: MESSAGE_BYTES_MAX,
    responseBytes: MESSAGE_BYTES_MAX,
    timeoutMs: TIMEOUT_MS,
    perPeer: PER_PEER
  }
})

export const sequencerDecided = defineProtocol<DecidedRequest, SequenceResponse>({
  id: '/kith/sequencer/decided/1.0.0',
  lane: 'control',
  request: DecidedRequest,
  response: SequenceResponse,
  limits: {
    requestBytes: KIB,
    responseBytes: MESSAGE_BYTES_MAX,
    timeoutMs: TIMEOUT_MS,
    perPeer: PER_PEER
  }
})

export * from './pb/sequencer.ts'
export * from './receipt.ts'
