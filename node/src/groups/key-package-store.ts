// This device's key packages: the private halves it keeps, and the public halves its home hands out while it
// sleeps. A private half is durable before its public half is published.
import { envelope, keyPackages } from '@kith/protocols'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'
import type { Write } from '../kernel/store/store.ts'
import type { GroupCrypto, LocalDevice } from './group-crypto.ts'

const PREFIX = 'groups/key-package'
/** Present once a home has this device's last-resort package. */
const LAST_RESORT_KEY = storeKey('groups/last-resort')

/** Restocked when fewer are left: a quarter, so that a busy day does not reach the last resort. */
const AVAILABLE_MIN = 8
/** Kept in stock at the home. Each costs one signature and about 500 bytes there. */
const AVAILABLE_MAX = 32

/** Where the tags of packages handed out directly are, oldest first. */
const HANDED_OUT_KEY = storeKey('groups/handed-out')
/**
 * Private halves kept for packages handed out directly; each is about a kilobyte. A group made with an older one
 * is made again with a new one.
 */
export const HANDED_OUT_MAX = 256

interface SecretRecord {
  readonly secret: Uint8Array
  /** 32 bytes, the KeyPackageRef. */
  readonly reference: Uint8Array
  readonly lastResort: boolean
}

/** A key package of this device that a welcome names. */
export interface HeldKeyPackage {
  readonly secret: Uint8Array
  readonly reference: Uint8Array
  /** Writes that consume it; none for a last resort. */
  readonly consume: readonly Write[]
}

export interface KeyPackageComponents {
  readonly store: SealedStore
  readonly rpc: Rpc
  readonly crypto: GroupCrypto
  readonly device: LocalDevice
}

export class KeyPackageStore {
  readonly #components: KeyPackageComponents
  #handingOut: Promise<unknown> = Promise.resolve()

  constructor(components: KeyPackageComponents) {
    this.#components = components
  }

  /** The package for a welcome's tag: the first 16 bytes of its reference. */
  async find(tag: Uint8Array): Promise<HeldKeyPackage | undefined> {
    const key = this.#key(tag)
    const record = await this.#components.store.get(key)
    if (record === undefined) return undefined
    const { secret, reference, lastResort } = decodeRecord<SecretRecord>(record)
    return { secret, reference, consume: lastResort ? [] : [{ type: 'delete', key }] }
  }

  /** Brings the stock at a home up to the mark. Resolves to the number it then holds. */
  async replenish(home: PeerAddress, signal: AbortSignal): Promise<number> {
    const { rpc, store } = this.#components
    const publish = (packages: Uint8Array[], lastResort: Uint8Array) =>
      rpc.request(home, keyPackages.keyPackagesPublish, { packages, lastResort }, { signal })
    const { available } = await publish([], new Uint8Array(0))
    const hasLastResort = (await store.get(LAST_RESORT_KEY)) !== undefined
    if (available >= AVAILABLE_MIN && hasLastResort) return available
    const fresh: Uint8Array[] = []
    while (available + fresh.length < AVAILABLE_MAX) fresh.push(await this.#create(false))
    const lastResort = hasLastResort ? new Uint8Array(0) : await this.#create(true)
    const published = await publish(fresh, lastResort)
    await store.commit([{ type: 'put', key: LAST_RESORT_KEY, value: new Uint8Array(1) }])
    return published.available
  }

  /**
   * A fresh package for somebody who asks this very device; its private half is durable first, and takes the
   * place of the oldest beyond HANDED_OUT_MAX.
   */
  handOut(): Promise<Uint8Array> {
    const handedOut = this.#handingOut.then(() => this.#handOutNext())
    // The next one is handed out whatever became of this one; its own caller sees the failure.
    this.#handingOut = handedOut.catch(() => undefined)
    return handedOut
  }

  async #handOutNext(): Promise<Uint8Array> {
    const { store } = this.#components
    const { keyPackage, tag, write } = await this.#make(false)
    const record = await store.get(HANDED_OUT_KEY)
    const tags = [...(record === undefined ? [] : decodeRecord<Uint8Array[]>(record)), tag]
    const old = tags.splice(0, Math.max(0, tags.length - HANDED_OUT_MAX))
    await store.commit([
      write,
      { type: 'put', key: HANDED_OUT_KEY, value: encodeRecord(tags) },
      ...old.map((forgotten): Write => ({ type: 'delete', key: this.#key(forgotten) }))
    ])
    return keyPackage
  }

  async #create(lastResort: boolean): Promise<Uint8Array> {
    const { keyPackage, write } = await this.#make(lastResort)
    await this.#components.store.commit([write])
    return keyPackage
  }

  /** A package, the tag of a welcome made with it, and what keeps its private half. */
  async #make(lastResort: boolean) {
    const { crypto, device } = this.#components
    const { keyPackage, secret, reference } = await crypto.createKeyPackage(device, { lastResort })
    const record: SecretRecord = { secret, reference, lastResort }
    const tag = reference.slice(0, envelope.EPOCH_TAG_BYTES)
    const write: Write = { type: 'put', key: this.#key(tag), value: encodeRecord(record) }
    return { keyPackage, tag, write }
  }

  #key(tag: Uint8Array): Uint8Array {
    return this.#components.store.opaqueKey(PREFIX, tag)
  }
}
