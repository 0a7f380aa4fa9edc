// Direct delivery: envelopes from device to device. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, SECOND_MS } from '../units.ts'
import { DeliverRequest, DeliverResponse, LogHeads } from './pb/direct.ts'

export const directDeliver = defineProtocol<DeliverRequest, DeliverResponse>({
  id: '/kith/direct/deliver/1.0.0',
  lane: 'bulk',
  request: DeliverRequest,
  response: DeliverResponse,
  limits: {
    requestBytes: 512 * KIB,
    responseBytes: 4 * KIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 5_000, windowMs: 10 * SECOND_MS }
  }
})

/** Of one head; a commit and a path through a tree of 8,192 boxes. */
export const HEAD_BYTES_MAX = 2 * KIB

/** Between devices of one account alone: which heads each has of the account's box, newest of each relay. */
export const directHeads = defineProtocol<LogHeads, LogHeads>({
  id: '/kith/direct/heads/1.0.0',
  lane: 'control',
  request: LogHeads,
  response: LogHeads,
  limits: {
    requestBytes: 20 * KIB,
    responseBytes: 20 * KIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 60, windowMs: 60 * SECOND_MS }
  }
})

export * from './conversation-id.ts'
export * from './pb/direct.ts'
