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
  /** Devices, as map keys. */
  devices: ReadonlySet<string>
}

const NOBODY: ReadonlySet<string> = new Set()

export class Directory {
  readonly #byAccount = new Map<string, Hosted>()
  readonly #byDevice = new Map<string, Hosted>()
  readonly #forgetters: ((device: string) => void)[] = []
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

  /** Calls back with each device, as map key, that belongs to no account here any more. */
  onForgotten(listener: (device: string) => void): void {
    this.#forgetters.push(listener)
  }

  /** Adds an account, or replaces the devices of a known one; those missing are forgotten. */
  set(entry: { box: BoxNumber; account: Uint8Array; devices: readonly Uint8Array[] }): Hosted {
    const name = mapKey(entry.account)
    const known = this.#byAccount.get(name)
    const hosted = known ?? {
      box: entry.box,
      account: entry.account,
      deliverySecret: undefined,
      blocked: NOBODY,
      devices: NOBODY
    }
    const before = hosted.devices
    hosted.devices = new Set(entry.devices.map(mapKey))
    this.#byAccount.set(name, hosted)
    for (const device of hosted.devices) this.#byDevice.set(device, hosted)
    this.#nextBox = Math.max(this.#nextBox, entry.box + 1)
    for (const device of before) if (!hosted.devices.has(device)) this.#forget(device)
    return hosted
  }
  #forget(device: string): void {
    this.#byDevice.delete(device)
    for (const listener of this.#forgetters) listener(device)
  }
}
