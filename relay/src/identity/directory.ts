// Who is hosted here: accounts and their devices, by the bytes a request names them with. In memory, rebuilt
// from the account records at start; about 500 bytes an account.
import type { BoxNumber } from '../box/box.ts'
import { mapKey } from '../storage/keys.ts'

export interface Hosted {
  readonly box: BoxNumber
  /** 32 bytes */
  readonly account: Uint8Array
  /** 32 bytes; senders who show a token under it are contacts. Undefined until a device sets it. */
  deliverySecret: Uint8Array | undefined
  /** Accounts, as map keys, from which nothing is taken. */
  blocked: ReadonlySet<string>
}

const NOBODY: ReadonlySet<string> = new Set()

export class Directory {
  readonly #byAccount = new Map<string, Hosted>()
  readonly #byDevice = new Map<string, Hosted>()
  #nextBox: BoxNumber = 1

  get size(): number {
    return this.#byAccount.size
  }

  /** The smallest box number never used. */
  get nextBox(): BoxNumber {
    return this.#nextBox
  }

  /** `account`: 32 bytes. */
  ofAccount(account: Uint8Array): Hosted | undefined {
    return this.#byAccount.get(mapKey(account))
  }

  /** `publicKey`: 32 bytes, of a device. */
  ofDevice(publicKey: Uint8Array): Hosted | undefined {
    return this.#byDevice.get(mapKey(publicKey))
  }

  all(): Iterable<Hosted> {
    return this.#byAccount.values()
  }

  /** Adds an account or replaces the devices of a known one by these and earlier ones. */
  set(entry: { box: BoxNumber; account: Uint8Array; devices: readonly Uint8Array[] }): Hosted {
    const name = mapKey(entry.account)
    const known = this.#byAccount.get(name)
    const hosted = known ?? {
      box: entry.box,
      account: entry.account,
      deliverySecret: undefined,
      blocked: NOBODY
    }
    this.#byAccount.set(name, hosted)
    for (const device of entry.devices) this.#byDevice.set(mapKey(device), hosted)
    this.#nextBox = Math.max(this.#nextBox, entry.box + 1)
    return hosted
  }
}
