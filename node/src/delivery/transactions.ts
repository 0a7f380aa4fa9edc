// From the changes of steps to batches of the store: marks get opaque keys, messages are packed into blocks.
// Batches reach the store in the order of their steps, whatever their preparation takes; steps that follow one
// another at once share a batch, so that what is composed and sealed in one go is synced once. Old messages are packed
// in batches of their own, once what made them old is on disk: nobody waits for that.
import type { StoredMessage } from '../conversations/message.ts'
import type { Timelines } from '../conversations/timeline.ts'
import type { Store, Write } from '../kernel/store/store.ts'
import type { Marks } from './marks.ts'
import type { Change, LoggedDeliveryEvent } from './records.ts'

/** Changes of one batch: a burst of small steps shares syncs, and no batch keeps the first step waiting for long. */
const SHARED_CHANGES_MAX = 128

export interface TransactionsComponents {
  readonly store: Store
  readonly timelines: Timelines
  readonly marks: Marks
  readonly events: EventWriter
}

/** Where events are written down; see ../events. */
export interface EventWriter {
  /** What goes into the batch, and what to call once that is on disk. */
  enter(events: readonly LoggedDeliveryEvent[]): {
    readonly writes: readonly Write[]
    readonly kept: () => void
  }
}

/** Steps that share a batch. It takes more until its preparation begins. */
interface Group {
  readonly changes: Change[]
  readonly done: Promise<void>
  isOpen: boolean
}

export class Transactions {
  readonly #components: TransactionsComponents
  #last: Promise<{ readonly done: Promise<void> } | undefined> = Promise.resolve(undefined)
  #group: Group | undefined

  constructor(components: TransactionsComponents) {
    this.#components = components
  }

  /** Resolves once the changes are on disk. */
  commit(changes: readonly Change[]): Promise<void> {
    const group = this.#group
    if (group !== undefined && mayJoin(group, changes)) {
      group.changes.push(...changes)
      return group.done
    }
    const opened: Change[] = [...changes]
    const prepared = this.#last.then(() => {
      if (this.#group === next) this.#group = undefined
      next.isOpen = false
      return this.#prepare(opened)
    })
    const next: Group = {
      changes: opened,
      done: prepared.then(({ done }) => done),
      isOpen: true
    }
    this.#last = prepared
    this.#group = next
    return next.done
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
    const { events, marks, store, timelines } = this.#components
    const writes: Write[] = []
    const told: LoggedDeliveryEvent[] = []
    const messages = new Map<number, StoredMessage[]>()
    for (const change of changes) {
      if (change.type === 'mark') writes.push(marks.write(change.id, change.depth))
      else if (change.type === 'event') told.push(change.event)
      else if (change.type === 'timeline-update') {
        writes.push(...(await timelines.update(change.local, change.message)))
      } else if (change.type === 'timeline') {
        const batch = messages.get(change.local) ?? []
        batch.push(change.message)
        messages.set(change.local, batch)
      } else writes.push(change)
    }
    for (const [local, batch] of messages) writes.push(...(await timelines.append(local, batch)))
    const entry = events.enter(told)
    const done = store.commit([...lastOfEach(writes), ...entry.writes]).then(entry.kept)
    for (const local of messages.keys())
      if (timelines.isPackable(local)) this.#packAfter(done, local)
    // Wrapped, so that the next transaction is prepared while this one syncs.
    return { done }
  }

  /** In line with the transactions, so that its batch reaches the store in the order of its computation. */
  #packAfter(done: Promise<void>, local: number): void {
    const ignore = () => {
      // Whoever gives the next changes meets the same failure, and is told.
    }
    done.then(() => {
      const packed = this.#last.then(async () => {
        const { store, timelines } = this.#components
        return { done: store.commit(await timelines.pack(local)) }
      })
      packed.then((batch) => batch.done).catch(ignore)
      this.#last = packed
    }, ignore)
  }
}

/** Messages are appended behind all other changes of a batch, so that none is updated in the batch that adds it. */
function mayJoin(group: Group, changes: readonly Change[]): boolean {
  if (!group.isOpen || group.changes.length + changes.length > SHARED_CHANGES_MAX) return false
  return changes.every(({ type }) => type !== 'timeline-update')
}

/** Of several writes to one key, only the last: a record written twice in a batch is sealed once. */
function lastOfEach(writes: readonly Write[]): readonly Write[] {
  const last = new Map<string, Write>()
  for (const write of writes) {
    const key = String.fromCharCode(...write.key)
    // Behind the others again: the order of the last writes is kept.
    last.delete(key)
    last.set(key, write)
  }
  return [...last.values()]
}
