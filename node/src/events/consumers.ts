// Who reads the event log, and how far each has confirmed: a consumer that dies goes on behind its last confirmation.
import { type ConsumerView, UserError } from '../api.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { rangeOf, storeKey } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'
import { type EventLog, unknownEvent } from './event-log.ts'
import { CONSUMERS_MAX } from './limits.ts'

const CONSUMER = 'events/consumer/'
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

interface Consumer {
  readonly name: string
  /** Number of the last event confirmed. */
  readonly confirmed: number
}

const keyOf = (name: string): Uint8Array => storeKey(`${CONSUMER}${name}`)

export class Consumers {
  readonly #store: Store
  readonly #log: EventLog
  readonly #consumers = new Map<string, Consumer>()
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(store: Store, log: EventLog) {
    this.#store = store
    this.#log = log
  }

  static async open({ store, log }: { store: Store; log: EventLog }): Promise<Consumers> {
    const consumers = new Consumers(store, log)
    for await (const [, value] of store.scan(rangeOf(CONSUMER))) {
      const consumer = decodeRecord<Consumer>(value)
      consumers.#consumers.set(consumer.name, consumer)
    }
    return consumers
  }

  list(): readonly ConsumerView[] {
    return [...this.#consumers.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((consumer) => this.#view(consumer))
  }

  /**
   * How far a consumer has confirmed. One that is new begins before the oldest event kept, and is kept from now on.
   * Throws UserError `bad-consumer`, `too-many-consumers`.
   */
  confirmed(name: string): Promise<number> {
    return this.#change(async () => {
      requireName(name)
      const known = this.#consumers.get(name)
      if (known !== undefined) return known.confirmed
      if (this.#consumers.size >= CONSUMERS_MAX) {
        throw new UserError('too-many-consumers', `${CONSUMERS_MAX} consumers are known here.`, {
          hint: 'kith events consumers; kith events forget <name>'
        })
      }
      await this.#put({ name, confirmed: this.#log.first - 1 })
      return this.#log.first - 1
    })
  }

  /**
   * Everything up to a number has been dealt with. Going back is ignored. Throws UserError `unknown-consumer`,
   * `unknown-event` for a number beyond the newest.
   */
  confirm(name: string, number: number): Promise<ConsumerView> {
    return this.#change(async () => {
      const known = this.#require(name)
      const { newest } = this.#log
      if (number > newest) throw unknownEvent(number, newest)
      if (number > known.confirmed) await this.#put({ name, confirmed: number })
      return this.#view(this.#require(name))
    })
  }

  /** Forgets a consumer. Throws UserError `unknown-consumer`. */
  forget(name: string): Promise<ConsumerView> {
    return this.#change(async () => {
      const known = this.#require(name)
      await this.#store.commit([{ type: 'delete', key: keyOf(name) }])
      this.#consumers.delete(name)
      return this.#view(known)
    })
  }

  #view({ name, confirmed }: Consumer): ConsumerView {
    return { name, confirmed, waiting: this.#log.newest - Math.max(confirmed, this.#log.first - 1) }
  }

  #require(name: string): Consumer {
    const known = this.#consumers.get(name)
    if (known !== undefined) return known
    requireName(name)
    throw new UserError('unknown-consumer', `No consumer is called "${name}".`, {
      hint: 'kith events consumers'
    })
  }

  async #put(consumer: Consumer): Promise<void> {
    const key = keyOf(consumer.name)
    await this.#store.commit([{ type: 'put', key, value: encodeRecord(consumer) }])
    this.#consumers.set(consumer.name, consumer)
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work)
    this.#changing = changed.catch(() => {
      // Its caller is told; the next change stands on its own.
    })
    return changed
  }
}

function requireName(name: string): void {
  if (NAME.test(name)) return
  throw new UserError(
    'bad-consumer',
    'The name of a consumer is 1 to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.'
  )
}
