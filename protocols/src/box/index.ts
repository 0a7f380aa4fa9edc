// Boxes: everything addressed to one account, on its home relays. See README.md.
import { defineProtocol, defineSubscription } from '../define.ts'
import { KIB, MIB, SECOND_MS } from '../units.ts'
import {
  Acknowledgement,
  AppendRequest,
  AppendResponse,
  ConfigureRequest,
  ConfigureResponse,
  PutSlotRequest,
  PutSlotResponse,
  SubscribeItem,
  SubscribeRequest
} from './pb/box.ts'

/** One envelope (at most 64 KiB) and 250 targets of 70 bytes, with room for fields to come. */
const APPEND_REQUEST_BYTES = 96 * KIB

export const boxAppend = defineProtocol<AppendRequest, AppendResponse>({
  id: '/kith/box/append/1.0.0',
  lane: 'bulk',
  request: AppendRequest,
  response: AppendResponse,
  limits: {
    requestBytes: APPEND_REQUEST_BYTES,
    responseBytes: KIB,
    timeoutMs: 30 * SECOND_MS,
    // A device that empties a long outbox is legitimate; a steady flood is the quota's business.
    perPeer: { count: 20_000, windowMs: 10 * SECOND_MS }
  }
})

export const boxSubscribe = defineSubscription<SubscribeRequest, SubscribeItem, Acknowledgement>({
  id: '/kith/box/subscribe/1.0.0',
  lane: 'bulk',
  request: SubscribeRequest,
  item: SubscribeItem,
  acknowledgement: Acknowledgement,
  limits: {
    requestBytes: KIB,
    itemBytes: 512 * KIB,
    acknowledgementBytes: KIB,
    creditBytes: 2 * MIB,
    perPeer: { count: 30, windowMs: 10 * SECOND_MS }
  }
})

/** One slot (at most 16 KiB) and 250 targets of 70 bytes, with room for fields to come. */
const PUT_SLOT_REQUEST_BYTES = 40 * KIB

export const boxPutSlot = defineProtocol<PutSlotRequest, PutSlotResponse>({
  id: '/kith/box/put-slot/1.0.0',
  lane: 'control',
  request: PutSlotRequest,
  response: PutSlotResponse,
  limits: {
    requestBytes: PUT_SLOT_REQUEST_BYTES,
    responseBytes: KIB,
    timeoutMs: 30 * SECOND_MS,
    perPeer: { count: 1_000, windowMs: 10 * SECOND_MS }
  }
})

export const boxConfigure = defineProtocol<ConfigureRequest, ConfigureResponse>({
  id: '/kith/box/configure/1.0.0',
  lane: 'control',
  request: ConfigureRequest,
  response: ConfigureResponse,
  limits: {
    requestBytes: KIB,
    responseBytes: KIB,
    timeoutMs: 10 * SECOND_MS,
    perPeer: { count: 30, windowMs: 60 * SECOND_MS }
  }
})

export * from './chain.ts'
export * from './delivery-token.ts'
export * from './head.ts'
export * from './merkle.ts'
export * from './pb/box.ts'
