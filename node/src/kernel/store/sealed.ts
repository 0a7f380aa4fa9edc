// A store whose values are sealed (AES-256-GCM) under a key of their own and bound to their record keys. Record
// keys stay readable on disk, so they hold local integers or `opaqueKey` bytes only: no contact, no name.
// Somebody who can write to the disk could put back an older sealed value of the same key; that is the threat
// of a stolen backup, and is not answered here.
import { concat } from 'uint8arrays/concat'
import type { Primitives } from '../primitives.ts'
import type { Random } from '../random.ts'
import { storeKey } from './key.ts'
import { type Range, type Store, StoreError, type Write } from './store.ts'

const KEY_BYTES = 32
/** AES-GCM's own nonce size. Random: safe to 2^32 records under one key (NIST SP 800-38D §8.3). */
const NONCE_BYTES = 12
/** Enough that two of 2^32 identifiers meet with probability 2^-64. */
const OPAQUE_KEY_BYTES = 16
const VALUES_LABEL = new TextEncoder().encode('kith/store/values/1')
const LOOKUPS_LABEL = new TextEncoder().encode('kith/store/lookups/1')
/** Ours, before every record. */
const SENTINEL_KEY = new Uint8Array([0])
const SENTINEL_VALUE = new TextEncoder().encode('kith/store/sealed/1')
/** In front of the caller's keys. */
const RECORD_PREFIX = new Uint8Array([1])

export interface SealedStore extends Store {
  /**
   * A record key for a lookup by identifier that tells nothing about it: `prefix` in ASCII, then 16 bytes,
   * HMAC-SHA-256 of prefix and `identifier` under the store's key, truncated.
   */
  opaqueKey(prefix: string, identifier: Uint8Array): Uint8Array
}

export interface SealStoreOptions {
  /** 32 bytes; never used directly, HKDF derives a key per purpose. */
  readonly key: Uint8Array
  readonly primitives: Primitives
  readonly random: Random
}

class Sealed implements SealedStore {
  readonly #store: Store
  readonly #primitives: Primitives
  readonly #random: Random
  readonly #valuesKey: Uint8Array
  readonly #lookupsKey: Uint8Array

  constructor(store: Store, { key, primitives, random }: SealStoreOptions) {
    const none = new Uint8Array(0)
    this.#store = store
    this.#primitives = primitives
    this.#random = random
    this.#valuesKey = primitives.hkdf(key, none, VALUES_LABEL, KEY_BYTES)
    this.#lookupsKey = primitives.hkdf(key, none, LOOKUPS_LABEL, KEY_BYTES)
  }

  /** Writes the sentinel into an empty store, or proves with it that the key is the right one. */
  async unlock(): Promise<void> {
    const sentinel = await this.#store.get(SENTINEL_KEY)
    if (sentinel !== undefined) {
      const opened = this.#tryOpen(SENTINEL_KEY, sentinel)
      if (opened !== undefined && this.#primitives.equal(opened, SENTINEL_VALUE)) return
      throw new StoreError('key', 'the key does not open this store')
    }
    const everything = { from: new Uint8Array(0), to: new Uint8Array([0xff]), limit: 1 }
    for await (const _entry of this.#store.scan(everything)) {
      throw new StoreError('missing', 'the store has records but lacks its sentinel')
    }
    const value = this.#seal(SENTINEL_KEY, SENTINEL_VALUE)
    await this.#store.commit([{ type: 'put', key: SENTINEL_KEY, value }])
  }

  opaqueKey(prefix: string, identifier: Uint8Array): Uint8Array {
    const label = storeKey(prefix)
    const length = new Uint8Array([label.byteLength])
    const digest = this.#primitives.hmac(this.#lookupsKey, length, label, identifier)
    return concat([label, digest.subarray(0, OPAQUE_KEY_BYTES)])
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const record = recordKey(key)
    const sealed = await this.#store.get(record)
    return sealed === undefined ? undefined : this.#open(record, sealed)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const records = keys.map(recordKey)
    const values = await this.#store.getMany(records)
    return values.map((sealed, index) =>
      sealed === undefined ? undefined : this.#open(records[index] as Uint8Array, sealed)
    )
  }

  async *scan(range: Range): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    const inner = { ...range, from: recordKey(range.from), to: recordKey(range.to) }
    for await (const [key, sealed] of this.#store.scan(inner)) {
      yield [key.subarray(RECORD_PREFIX.byteLength), this.#open(key, sealed)]
    }
  }

  async commit(writes: readonly Write[]): Promise<void> {
    await this.#store.commit(
      writes.map((write) => {
        const key = recordKey(write.key)
        if (write.type === 'delete') return { type: 'delete', key }
        return { type: 'put', key, value: this.#seal(key, write.value) }
      })
    )
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #seal(key: Uint8Array, value: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES)
    return concat([nonce, this.#primitives.seal(this.#valuesKey, nonce, value, key)])
  }

  #open(key: Uint8Array, sealed: Uint8Array): Uint8Array {
    const value = this.#tryOpen(key, sealed)
    if (value === undefined) throw new StoreError('corrupt', 'a sealed record does not open')
    return value
  }

  #tryOpen(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.byteLength < NONCE_BYTES) return undefined
    const nonce = sealed.subarray(0, NONCE_BYTES)
    return this.#primitives.open(this.#valuesKey, nonce, sealed.subarray(NONCE_BYTES), key)
  }
}

/**
 * Seals the values of `store`, which must be empty or sealed before. Closing the result closes `store`.
 *
 * @throws StoreError `key` when another key sealed it, `missing` when it holds records but no sentinel.
 */
export async function sealStore(store: Store, options: SealStoreOptions): Promise<SealedStore> {
  if (options.key.byteLength !== KEY_BYTES) throw new RangeError(`a key is ${KEY_BYTES} bytes`)
  const sealed = new Sealed(store, options)
  await sealed.unlock()
  return sealed
}

function recordKey(key: Uint8Array): Uint8Array {
  return concat([RECORD_PREFIX, key])
}
