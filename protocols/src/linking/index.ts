// Linking: where a new device meets an old one to be added to its account. See README.md.
import { defineProtocol, defineSubscription } from '../define.ts'
import { KIB, MIB, SECOND_MS } from '../units.ts'
import {
  PutRequest,
  PutResponse,
  WatchAcknowledgement,
  WatchItem,
  WatchRequest
} from './pb/linking.ts'

/** One sealed message of a link: the largest carries an account's log, contacts and names. */
export const LINK_MESSAGE_BYTES_MAX = 256 * KIB
/** Messages of one link: offer, answer, reveal, confirmation, bundle, done, with room. */
export const LINK_MESSAGES_MAX = 16

export const linkingPut = defineProtocol<PutRequest, PutResponse>({
  id: '/kith/linking/put/1.0.0',
  lane: 'control',
  request: PutRequest,
  response: PutResponse,
  limits: {
    requestBytes: LINK_MESSAGE_BYTES_MAX + KIB,
    responseBytes: KIB,
    timeoutMs: 15 * SECOND_MS,
    perPeer: { count: 64, windowMs: 60 * SECOND_MS }
  }
})

export const linkingWatch = defineSubscription<WatchRequest, WatchItem, WatchAcknowledgement>({
  id: '/kith/linking/watch/1.0.0',
  lane: 'control',
  request: WatchRequest,
  item: WatchItem,
  acknowledgement: WatchAcknowledgement,
  limits: {
    requestBytes: KIB,
    itemBytes: LINK_MESSAGE_BYTES_MAX + KIB,
    acknowledgementBytes: KIB,
    creditBytes: MIB,
    perPeer: { count: 30, windowMs: 60 * SECOND_MS }
  }
})

export * from './exchange.ts'
export * from './pb/exchange.ts'
export * from './pb/linking.ts'
