// A conversation's messages on disk, in the order all devices agree on, packed into sealed blocks.
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { OrderedBlocks } from '../kernel/store/blocks.ts'
import { storeKey, u32 } from '../kernel/store/key.ts'
import type { Store, Write } from '../kernel/store/store.ts'
import type { StoredMessage } from './message.ts'
import { ORDER_KEY_BYTES, orderKey } from './ordering.ts'

const PREFIX = 'conversations/timeline'

/** All timelines of this device, by the local integer of their conversation. */
export class Timelines {
  readonly #store: Store
  readonly #open = new Map<number, OrderedBlocks>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The writes that add these messages; they belong into the transaction that makes them known. */
  async append(
    conversation: number,
    messages: readonly StoredMessage[]
  ): Promise<readonly Write[]> {
    return await this.#blocks(conversation).append(
      messages.map((message) => ({
        orderKey: orderKey(message.depth, message.id),
        value: encodeRecord(message)
      }))
    )
  }

  /** So many messages are records of their own that they should be packed. */
  isPackable(conversation: number): boolean {
    return this.#blocks(conversation).isPackable
  }

  /** The writes that pack older messages into sealed blocks; in no hurry, and in the order of the others. */
  async pack(conversation: number): Promise<readonly Write[]> {
    return await this.#blocks(conversation).pack()
  }

  /** The writes that replace a message that is there already. */
  async update(conversation: number, message: StoredMessage): Promise<readonly Write[]> {
    const key = orderKey(message.depth, message.id)
    return await this.#blocks(conversation).update(key, encodeRecord(message))
  }

  /** The newest `limit` messages, or the newest before a place in the order; oldest of them first. */
  async newest(
    conversation: number,
    limit: number,
    before?: Pick<StoredMessage, 'depth' | 'id'>
  ): Promise<readonly StoredMessage[]> {
    const bound = before === undefined ? {} : { before: orderKey(before.depth, before.id) }
    const entries = await this.#blocks(conversation).read({ limit, reverse: true, ...bound })
    return entries.map(({ value }) => decodeRecord<StoredMessage>(value)).reverse()
  }

  /** The first `limit` messages, oldest first. */
  async oldest(conversation: number, limit: number): Promise<readonly StoredMessage[]> {
    const entries = await this.#blocks(conversation).read({ limit })
    return entries.map(({ value }) => decodeRecord<StoredMessage>(value))
  }

  #blocks(conversation: number): OrderedBlocks {
    const existing = this.#open.get(conversation)
    if (existing !== undefined) return existing
    const blocks = new OrderedBlocks({
      store: this.#store,
      prefix: storeKey(PREFIX, u32(conversation)),
      orderKeyBytes: ORDER_KEY_BYTES
    })
    this.#open.set(conversation, blocks)
    return blocks
  }
}
