// This device's key packages: the private halves it keeps, and the public halves its home hands out while it
// sleeps. A private half is durable before its public half is published.
import { envelope, keyPackages } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'
import type { Write } from '../kernel/store/store.ts'
import type { GroupCrypto, LocalDevice } from './group-crypto.ts'

const PREFIX = 'groups/key-package'
/** What a home has of this device, as far as it knows: the last-resort package's hash, and single-use ones. */
const PUBLISHED_KEY = storeKey('groups/published')

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

/** Where the tags of used packages are, oldest first. */
const USED_KEY = storeKey('groups/used-key-packages')
/**
 * Private halves kept after their package was used: a relay that got an old backup back may hand a package out a second
 * time before it hears that it is used up, and who took it would wait for ever. Each is about a kilobyte. They open
 * nothing that the archive keys on the same disk do not open.
 */
export const USED_MAX = 256

interface SecretRecord {
  readonly secret: Uint8Array
  /** 32 bytes, the KeyPackageRef. */
  readonly reference: Uint8Array
  readonly lastResort: boolean
  /** A group was joined with it: it is not handed out any more. */
  readonly isUsed?: boolean
}

interface Published {
  /** 32 bytes, SHA-256 of the package. */
  readonly hash: Uint8Array
  readonly tag: Uint8Array
}

interface PublishedRecord {
  /** 32 bytes; empty before the first. */
  readonly lastResort: Uint8Array
  /** At most AVAILABLE_MAX. */
  readonly packages: readonly Published[]
}

interface Made {
  readonly keyPackage: Uint8Array
  readonly tag: Uint8Array
  readonly write: Write
}

const NOTHING = new Uint8Array(0)

/** A key package of this device that a welcome names. */
export interface HeldKeyPackage {
  readonly secret: Uint8Array
  readonly reference: Uint8Array
  /** Writes that take it out of use; none for a last resort. */
  readonly consume: readonly Write[]
}

export interface KeyPackageComponents {
  readonly store: SealedStore
  readonly rpc: Rpc
  readonly crypto: GroupCrypto
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly device: LocalDevice
}

export class KeyPackageStore {
  readonly #components: KeyPackageComponents
  #handingOut: Promise<unknown> = Promise.resolve()
  /** As they will be once everything under way is on disk. */
  #used: Promise<Uint8Array[]> | undefined

  constructor(components: KeyPackageComponents) {
    this.#components = components
  }

  /** The package for a welcome's tag: the first 16 bytes of its reference. */
  async find(tag: Uint8Array): Promise<HeldKeyPackage | undefined> {
    const key = this.#key(tag)
    const record = await this.#components.store.get(key)
    if (record === undefined) return undefined
    const held = decodeRecord<SecretRecord>(record)
    const { secret, reference, lastResort, isUsed } = held
    const isSpent = lastResort || isUsed === true
    return { secret, reference, consume: isSpent ? [] : await this.#use(tag, held) }
  }

  /** Its private half stays among the newest used ones; the oldest beyond USED_MAX goes. */
  async #use(tag: Uint8Array, held: SecretRecord): Promise<readonly Write[]> {
    this.#used ??= this.#components.store
      .get(USED_KEY)
      .then((record) => (record === undefined ? [] : decodeRecord<Uint8Array[]>(record)))
    const tags = await this.#used
    if (!tags.some((used) => equals(used, tag))) tags.push(tag.slice())
    const old = tags.splice(0, Math.max(0, tags.length - USED_MAX))
    return [
      { type: 'put', key: this.#key(tag), value: encodeRecord({ ...held, isUsed: true }) },
      { type: 'put', key: USED_KEY, value: encodeRecord(tags) },
      ...old.map((forgotten): Write => ({ type: 'delete', key: this.#key(forgotten) }))
    ]
  }

  /**
   * Brings the stock at a home up to the mark, and takes out of it what nobody can invite this device with any more: a
   * relay that got an old backup back offers packages whose private halves are used up. Resolves to the number it holds.
   */
  async replenish(home: PeerAddress, signal: AbortSignal): Promise<number> {
    const publish = (request: keyPackages.PublishRequest) =>
      this.#components.rpc.request(home, keyPackages.keyPackagesPublish, request, { signal })
    const stock = await publish({ packages: [], lastResort: NOTHING, withdraw: [] })
    const published = await this.#published()
    const usable = await this.#usable(published.packages)
    const [left, withdraw] = [
      usable.filter(({ hash }) => stock.held.some((held) => equals(held, hash))),
      stock.held.filter((held) => !usable.some(({ hash }) => equals(held, hash)))
    ]
    const hasLastResort =
      published.lastResort.byteLength > 0 && equals(stock.lastResort, published.lastResort)
    if (withdraw.length === 0 && left.length >= AVAILABLE_MIN && hasLastResort) return left.length
    const fresh: Made[] = []
    while (left.length + fresh.length < AVAILABLE_MAX) fresh.push(await this.#make(false))
    const last = hasLastResort ? undefined : await this.#make(true)
    const record: PublishedRecord = {
      lastResort: last === undefined ? published.lastResort : this.#hashOf(last),
      packages: [...left, ...fresh.map((made) => ({ hash: this.#hashOf(made), tag: made.tag }))]
    }
    await this.#components.store.commit([
      ...[...fresh, ...(last === undefined ? [] : [last])].map(({ write }) => write),
      { type: 'put', key: PUBLISHED_KEY, value: encodeRecord(record) }
    ])
    const { held } = await publish({
      packages: fresh.map(({ keyPackage }) => keyPackage),
      lastResort: last?.keyPackage ?? NOTHING,
      withdraw
    })
    return held.length
  }

  async #published(): Promise<PublishedRecord> {
    const record = await this.#components.store.get(PUBLISHED_KEY)
    if (record === undefined) return { lastResort: NOTHING, packages: [] }
    return decodeRecord<PublishedRecord>(record)
  }

  /** Those whose private half is still here, for a first use. */
  async #usable(packages: readonly Published[]): Promise<readonly Published[]> {
    const secrets = await this.#components.store.getMany(packages.map(({ tag }) => this.#key(tag)))
    return packages.filter((_, index) => {
      const record = secrets[index]
      return record !== undefined && decodeRecord<SecretRecord>(record).isUsed !== true
    })
  }

  #hashOf({ keyPackage }: Made): Uint8Array {
    return this.#components.primitives.sha256(keyPackage)
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

  /** A package, the tag of a welcome made with it, and what keeps its private half. */
  async #make(lastResort: boolean): Promise<Made> {
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
