// Accounts that the operator has suspended: their devices are refused until he resumes them. What they
// have here stays, and what others send them is kept. Record: the reason.
import type { Network, Write } from '@kith/node/kernel'
import { deviceIdOf, ProtocolError } from '@kith/protocols'
import type { Directory, Hosted } from '../identity/directory.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, mapKey, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'

export class Suspensions {
  readonly #commit: (writes: readonly Write[]) => Promise<void>
  readonly #directory: Directory
  /** Reasons by account, as map keys. */
  readonly #reasons: Map<string, string>
  #network: Pick<Network, 'disconnect'> | undefined

  private constructor(init: {
    commit: (writes: readonly Write[]) => Promise<void>
    directory: Directory
    reasons: Map<string, string>
  }) {
    this.#commit = init.commit
    this.#directory = init.directory
    this.#reasons = init.reasons
  }

  static async load(components: {
    readonly store: StoreReader
    readonly commit: (writes: readonly Write[]) => Promise<void>
    readonly directory: Directory
  }): Promise<Suspensions> {
    const reasons = new Map<string, string>()
    for await (const [record, value] of components.store.scan(rangeOf(TABLE.suspension))) {
      reasons.set(mapKey(record.subarray(1)), new FieldReader(value).text())
    }
    return new Suspensions({ ...components, reasons })
  }

  /** Where connections of suspended accounts are ended. */
  attach(network: Pick<Network, 'disconnect'>): void {
    this.#network = network
  }

  /** `account`: 32 bytes. */
  reasonOf(account: Uint8Array): string | undefined {
    return this.#reasons.get(mapKey(account))
  }

  /** Throws ProtocolError `forbidden` for a device (public key) of a suspended account. */
  check(device: Uint8Array): void {
    if (this.#reasons.size === 0) return
    const hosted = this.#directory.ofDevice(device)
    if (hosted === undefined || !this.#reasons.has(mapKey(hosted.account))) return
    throw new ProtocolError('forbidden', 'suspended')
  }

  /** On disk when it resolves; connections of its devices have ended. */
  async suspend({ account, devices }: Hosted, reason: string): Promise<void> {
    const value = new FieldWriter().text(reason).finish()
    await this.#commit([{ type: 'put', key: key(TABLE.suspension, account), value }])
    this.#reasons.set(mapKey(account), reason)
    for (const device of devices) {
      const publicKey = Uint8Array.from(device, (character) => character.charCodeAt(0))
      this.#network?.disconnect(deviceIdOf(publicKey))
    }
  }

  async resume({ account }: Hosted): Promise<void> {
    await this.#commit([{ type: 'delete', key: key(TABLE.suspension, account) }])
    this.#reasons.delete(mapKey(account))
  }
}
