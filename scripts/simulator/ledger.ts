// What every message is by its author's own word, taken from the author's steps: what the checks hold the others to.
import type { DeliveryState, Effect, Input } from '@kith/node/testing'
import {
  type AccountId,
  type ConversationId,
  type DeviceId,
  type MessageId,
  messageIdOf
} from '@kith/protocols'
import { toString as toText } from 'uint8arrays/to-string'

export interface Written {
  readonly device: DeviceId
  readonly account: AccountId
  readonly conversation: ConversationId
  /** Hex of the group and number of the epoch it was sealed in. */
  readonly group: string
  readonly epoch: number
  /** Empty for what is no text. */
  readonly text: string
  readonly counter: number
  readonly heads: readonly MessageId[]
}

type Seal = Extract<Effect, { type: 'seal' }>

export class Ledger {
  readonly messages = new Map<MessageId, Written>()
  /** Ids by author device and counter: several when a crash lost what had been sealed. */
  readonly #counters = new Map<string, MessageId[]>()
  readonly #sealing = new Map<string, Seal>()

  /** What this device wrote under this counter. */
  at(device: DeviceId, counter: number): readonly MessageId[] {
    return this.#counters.get(`${device} ${counter}`) ?? []
  }

  /** One step of a device's delivery. */
  follow(
    input: Input,
    { state, effects }: { state: DeliveryState; effects: readonly { type: string }[] }
  ): void {
    const { account, device } = state.self
    if (input.type === 'sealed') {
      const seal = this.#sealing.get(`${device} ${input.local}`)
      const entry = state.outbox.get(input.local)
      if (seal !== undefined && entry !== undefined) {
        const { id, counter } = input.sealed
        const name = `${device} ${counter}`
        this.#counters.set(name, [...(this.#counters.get(name) ?? []), id])
        this.messages.set(input.sealed.id, {
          device,
          account,
          conversation: entry.conversation,
          group: toText(seal.content.group, 'base16'),
          epoch: seal.content.epoch,
          text: entry.text,
          counter: input.sealed.counter,
          heads: seal.content.heads.map(messageIdOf)
        })
      }
    }
    for (const effect of effects) {
      if (effect.type === 'seal') {
        const seal = effect as Seal
        this.#sealing.set(`${device} ${seal.local}`, seal)
      }
    }
  }
}
