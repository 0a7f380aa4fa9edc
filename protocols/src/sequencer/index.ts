// The sequencer: which commit ended an epoch of a group, decided once. See README.md.
import { defineProtocol } from '../define.ts'
import { KIB, SECOND_MS } from '../units.ts'
import { SequenceRequest, SequenceResponse } from './pb/sequencer.ts'

export const sequencerAppend = defineProtocol<SequenceRequest, SequenceResponse>({
  id: '/kith/sequencer/append/1.0.0',
  lane: 'control',
  request: SequenceRequest,
  response: SequenceResponse,
  limits: {
    requestBytes: KIB,
    responseBytes: KIB,
    timeoutMs: 15 * SECOND_MS,
    // A device added to a thousand chats commits once in each.
    perPeer: { count: 1_000, windowMs: 60 * SECOND_MS }
  }
})

export * from './pb/sequencer.ts'
export * from './receipt.ts'
