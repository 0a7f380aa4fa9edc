// A message as this device keeps it. Delivery state is not part of it: what is still in the outbox is queued
// or accepted, what left it is delivered.
import type { AccountId, ConversationId, DeviceId, MessageId } from '@kith/protocols'
import type { DeliveryPath } from '../api.ts'

export interface StoredMessage {
  /** This device's number, ascending in order of arrival. */
  readonly local: number
  readonly id: MessageId
  readonly conversation: ConversationId
  readonly account: AccountId
  readonly device: DeviceId
  readonly counter: number
  readonly depth: number
  readonly text: string
  readonly sentAtMs: number
  readonly storedAtMs: number
  readonly path: DeliveryPath
  /** The encoded Content when this version cannot show its body, so that a later one can. */
  readonly raw?: Uint8Array
}
