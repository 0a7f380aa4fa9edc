// Group commit: durable batches one after another. A commit that finds the queue idle goes out at once; those
// that arrive during a sync share the next batch. After the first failure nothing is acknowledged any more.
import { StoreError, type Write } from './store.ts'

/**
 * Writes in one batch. LevelDB's sync throughput is flat from 100 to 1,000 operations a batch (87k and 92k
 * operations/s measured), while latency grows from 0.6 to 9 ms: larger only delays the first commit in it.
 */
export const BATCH_WRITES_MAX = 1_024
/** Bytes in one batch: a quarter of LevelDB's write buffer (4 MiB), so that one batch never forces a flush. */
export const BATCH_BYTES_MAX = 1_048_576
/**
 * Encoded bytes waiting for a batch. Commits beyond it wait un-encoded, in their order: their callers hold the
 * bytes anyway. 8 batches keep the disk busy; more would only double the memory of a burst.
 */
export const QUEUE_BYTES_MAX = 8 * BATCH_BYTES_MAX

interface Waiting {
  readonly writes: readonly Write[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Queued<Record> {
  readonly records: readonly Record[]
  readonly bytes: number
  readonly waiting: Waiting
}

export interface CommitQueueInit<Record> {
  /** The form in which a write goes to disk; a copy, so that the caller's bytes are free once it is queued. */
  encode(write: Write): Record
  /** Writes one batch atomically and resolves once it is on disk. A rejection stops the queue for good. */
  apply(records: readonly Record[]): Promise<void>
}

export class CommitQueue<Record> {
  readonly #init: CommitQueueInit<Record>
  readonly #waiting: Waiting[] = []
  readonly #queue: Queued<Record>[] = []
  #queuedBytes = 0
  #running: Promise<void> | undefined
  #failure: StoreError | undefined
  #isClosed = false

  constructor(init: CommitQueueInit<Record>) {
    this.#init = init
  }

  /** Throws `failed` after an I/O error and `closed` after close(). Reads call it before and after. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isClosed) throw new StoreError('closed', 'the store is closed')
  }

  /** Resolves once the writes are on disk. They are applied in the order of the calls. */
  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        this.check()
      } catch (error) {
        reject(error)
        return
      }
      this.#waiting.push({ writes, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Latches fail-stop: everything waiting and everything later rejects with `failed`. */
  fail(cause: unknown): StoreError {
    this.#failure ??= new StoreError('failed', 'the store stopped at an I/O error', { cause })
    const failure = this.#failure
    for (const { waiting } of this.#queue.splice(0)) waiting.reject(failure)
    for (const waiting of this.#waiting.splice(0)) waiting.reject(failure)
    this.#queuedBytes = 0
    return failure
  }

  /** Refuses new commits and waits for those under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // One microtask: commits made in the same turn of the event loop share a batch.
    await undefined
    while (this.#admit()) {
      const batch = this.#take()
      const records = batch.flatMap((queued) => queued.records)
      try {
        if (records.length > 0) await this.#init.apply(records)
      } catch (error) {
        const failure = this.fail(error)
        for (const { waiting } of batch) waiting.reject(failure)
        break
      }
      if (this.#failure !== undefined) {
        for (const { waiting } of batch) waiting.reject(this.#failure)
        break
      }
      for (const { waiting } of batch) waiting.resolve()
    }
    this.#running = undefined
  }

  /** Encodes what fits into the queue; false when nothing is left to write. */
  #admit(): boolean {
    let admitted = 0
    for (const waiting of this.#waiting) {
      if (this.#queuedBytes >= QUEUE_BYTES_MAX) break
      admitted += 1
      const bytes = sizeOf(waiting.writes)
      const records = waiting.writes.map((write) => this.#init.encode(write))
      this.#queuedBytes += bytes
      this.#queue.push({ records, bytes, waiting })
    }
    this.#waiting.splice(0, admitted)
    return this.#queue.length > 0
  }

  /** The next batch: always one commit, then more while the limits hold. */
  #take(): Queued<Record>[] {
    let writes = 0
    let bytes = 0
    let count = 0
    for (const queued of this.#queue) {
      writes += queued.records.length
      bytes += queued.bytes
      if (count > 0 && (writes > BATCH_WRITES_MAX || bytes > BATCH_BYTES_MAX)) break
      count += 1
      this.#queuedBytes -= queued.bytes
    }
    return this.#queue.splice(0, count)
  }
}

function sizeOf(writes: readonly Write[]): number {
  let bytes = 0
  for (const write of writes) {
    bytes += write.key.byteLength + (write.type === 'put' ? write.value.byteLength : 0)
  }
  return bytes
}
