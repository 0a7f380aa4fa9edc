// Direct delivery: envelopes from device to device. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, SECOND_MS } from '../units.ts'
import { DeliverRequest, DeliverResponse } from './pb/direct.ts'

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

export * from './conversation-id.ts'
export * from './pb/direct.ts'
