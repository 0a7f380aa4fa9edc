// Decides requests in batches: those that come while a batch is on its way to the disk make the next one, so that
// one fsync serves them all and no two decide over the same group at once.
import type { Write } from '@kith/node/kernel'
import { ProtocolError } from '@kith/protocols'
import { mapKey } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { SequencerComponents } from './components.ts'
import type { Decided, SequencerReader } from './records.ts'
import { type Sequencing, sequence } from './sequence.ts'

/** Requests of one batch: about 20 ms of reading and signing. */
const BATCH_MAX = 128
/**
 * Requests that wait: some batches, so that an answer comes within its time-out even from a slow disk, and 64 MiB if
 * every one carries the largest change.
 */
const WAITING_MAX = 1_024
/** When a refused caller should try again: some batches later. */
const RETRY_MS = 500

interface Waiting {
  readonly sequencing: Sequencing
  readonly resolve: (decided: Decided) => void
  readonly reject: (error: unknown) => void
}

/** Writes over the store that it does not hold yet. */
class Draft implements SequencerReader {
  readonly writes: Write[] = []
  readonly #store: StoreReader
  readonly #latest = new Map<string, Write>()

  constructor(store: StoreReader) {
    this.#store = store
  }

  add(writes: readonly Write[]): void {
    for (const write of writes) {
      this.writes.push(write)
      this.#latest.set(mapKey(write.key), write)
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const write = this.#latest.get(mapKey(key))
    if (write === undefined) return this.#store.get(key)
    return write.type === 'put' ? write.value : undefined
  }
}

export class Batches {
  readonly #components: SequencerComponents
  readonly #waiting: Waiting[] = []
  #isRunning = false

  constructor(components: SequencerComponents) {
    this.#components = components
  }

  /** What ended the epoch, once on disk. Throws what `sequence` throws, and `unavailable`. */
  run(sequencing: Sequencing): Promise<Decided> {
    if (this.#waiting.length >= WAITING_MAX) {
      const error = new ProtocolError('unavailable', 'queue-full', { retryAfterMs: RETRY_MS })
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sequencing, resolve, reject })
      if (!this.#isRunning) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) await this.#batch(this.#waiting.splice(0, BATCH_MAX))
    this.#isRunning = false
  }

  /** Never rejects: each request of the batch is answered or refused. */
  async #batch(batch: readonly Waiting[]): Promise<void> {
    const { store, commit } = this.#components
    const draft = new Draft(store)
    const answers: (() => void)[] = []
    const asked: Waiting[] = []
    for (const waiting of batch) {
      try {
        const { decided, writes } = await sequence(waiting.sequencing, draft, this.#components)
        draft.add(writes)
        asked.push(waiting)
        answers.push(() => waiting.resolve(decided))
      } catch (error) {
        waiting.reject(error)
      }
    }
    try {
      if (draft.writes.length > 0) await commit(draft.writes)
      for (const answer of answers) answer()
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
