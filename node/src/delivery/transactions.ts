// From the changes of a step to one batch of the store: marks get opaque keys, messages are packed into blocks.
// Batches reach the store in the order of their steps, whatever their preparation takes.
import type { StoredMessage } from '../conversations/message.ts'
import type { Timelines } from '../conversations/timeline.ts'
import type { Store, Write } from '../kernel/store/store.ts'
import type { Marks } from './marks.ts'
import type { Change } from './records.ts'

export interface TransactionsComponents {
  readonly store: Store
  readonly timelines: Timelines
  readonly marks: Marks
}

export class Transactions {
  readonly #components: TransactionsComponents
  #last: Promise<{ readonly done: Promise<void> } | undefined> = Promise.resolve(undefined)

  constructor(components: TransactionsComponents) {
    this.#components = components
  }

  /** Resolves once the changes are on disk. */
  commit(changes: readonly Change[]): Promise<void> {
    const prepared = this.#last.then(() => this.#prepare(changes))
    this.#last = prepared
    return prepared.then(({ done }) => done)
  }

  /** Everything given so far is on disk, or has failed. */
  async settled(): Promise<void> {
    await this.#last
      .then((last) => last?.done)
      .catch(() => {
        // Whoever gave the changes was told.
      })
  }

  async #prepare(changes: readonly Change[]): Promise<{ done: Promise<void> }> {
    const { marks, store, timelines } = this.#components
    const writes: Write[] = []
    const messages = new Map<number, StoredMessage[]>()
    for (const change of changes) {
      if (change.type === 'mark') writes.push(marks.write(change.id, change.depth))
      else if (change.type === 'timeline-update') {
        writes.push(...(await timelines.update(change.local, change.message)))
      } else if (change.type === 'timeline') {
        const batch = messages.get(change.local) ?? []
        batch.push(change.message)
        messages.set(change.local, batch)
      } else writes.push(change)
    }
    for (const [local, batch] of messages) writes.push(...(await timelines.append(local, batch)))
    // Wrapped, so that the next transaction is prepared while this one syncs.
    return { done: store.commit(writes) }
  }
}
