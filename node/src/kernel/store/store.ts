// The store port: ordered bytes with durable batches. Every implementation passes one suite
// (testing/suites/store.ts).

export type Write =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }

export interface Range {
  /** Inclusive lower bound. */
  readonly from: Uint8Array
  /** Exclusive upper bound. */
  readonly to: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

/** Keys and values belong to the store until the call that received them settles, then to the caller again. */
export interface Store {
  /** The value, or undefined. Rejects with StoreError `corrupt` rather than return altered bytes. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /** Entries in key order. */
  scan(range: Range): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /**
   * Applies the writes atomically and resolves once they are on disk (fsync). Commits that arrive during a
   * sync share the next one. After the first I/O error every call rejects with `failed`: fail-stop.
   */
  commit(writes: readonly Write[]): Promise<void>
  /** Waits for commits under way, then releases the store. Idempotent. */
  close(): Promise<void>
}

/**
 * `in-use`: another process holds it (`holder` says which). `corrupt`: bytes on disk are not what was written.
 * `failed`: an I/O error happened; reopen. `missing`: a store was here and is not whole. `closed`: after
 * close(). `key`: sealed under another key. `version`: written by a newer program.
 */
export type StoreErrorCode =
  | 'in-use'
  | 'corrupt'
  | 'failed'
  | 'missing'
  | 'closed'
  | 'key'
  | 'version'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** Process id and command of the holder, for `in-use`. */
  readonly holder: string | undefined

  constructor(
    code: StoreErrorCode,
    message: string,
    options?: { cause?: unknown; holder?: string }
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.holder = options?.holder
  }
}
