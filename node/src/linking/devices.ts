// The devices of this account: listed, named, removed, and settled when a link was cut off half-way.
import {
  type DeviceId,
  decodeBounded,
  deviceIdOf,
  identity,
  ProtocolError,
  publicKeyOf
} from '@kith/protocols'
import { UserError } from '../api.ts'
import type { Directory } from '../contacts/directory.ts'
import { takeKeyPackages } from '../direct/key-packages.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import { addDeviceOperation, removeDeviceOperation } from '../identity/account.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import type { Store } from '../kernel/store/store.ts'
import { changeAccount } from './account-log.ts'
import {
  type DeviceNames,
  deviceNamesWrite,
  readDeviceNames,
  requireDeviceName
} from './device-names.ts'
import { type PendingDevice, readPending, writePending } from './pending.ts'
import type { DeviceView } from './views.ts'

/** Fewer characters than this of the end of an id might be a slip. */
const ID_END_MIN = 4
const LIST_HINT = 'kith device list shows the devices of your account.'

export interface DevicesComponents {
  readonly store: Store
  readonly rpc: Rpc
  readonly primitives: Primitives
  readonly clock: Clock
  readonly directory: Directory
  readonly device: LocalDevice
  readonly homes: readonly PeerAddress[]
}

export class Devices {
  readonly #components: DevicesComponents
  #names = new Map<DeviceId, string>()

  constructor(components: DevicesComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    this.#names = await readDeviceNames(this.#components.store)
  }

  get names(): DeviceNames {
    return [...this.#names]
  }

  /** Whether the account's log, as it is known here, names this device. */
  get isOwn(): boolean {
    const { device, directory } = this.#components
    return directory.certified(device)
  }

  /** Whether it is another device of this account. */
  isOther(device: DeviceId): boolean {
    const { device: own, directory } = this.#components
    const devices = directory.state(own.account)?.devices ?? []
    return device !== own.device && devices.some((one) => one.device === device)
  }

  /** Throws UserError `device-removed`: what this device writes, nobody takes. */
  requireOwn(): void {
    if (this.isOwn) return
    throw new UserError('device-removed', 'This device was removed from its account.', {
      hint: "Link it again, in another folder: kith --home <folder> device link '<code>'"
    })
  }

  list(): readonly DeviceView[] {
    const { device: own, directory } = this.#components
    const operations = directory.operations(own.account)
    const entries = directory.state(own.account)?.devices ?? []
    return entries.map(({ device, addedAt }) => ({
      device,
      name: this.#names.get(device) ?? `device-${device.slice(-6)}`,
      addedAtMs: createdAtOf(operations[addedAt]),
      isThis: device === own.device
    }))
  }

  /** By name, id, or the end of an id. Throws UserError `unknown-device`. */
  find(who: string): DeviceView {
    const devices = this.list()
    const ending = who.length >= ID_END_MIN ? devices.filter((one) => one.device.endsWith(who)) : []
    const found =
      devices.find(({ device }) => device === who) ?? devices.find(({ name }) => name === who)
    const [only] = ending
    if (found !== undefined) return found
    if (only !== undefined && ending.length === 1) return only
    throw new UserError('unknown-device', `Your account has no device called "${who}".`, {
      hint: LIST_HINT
    })
  }

  async rename(who: string, name: string): Promise<DeviceView> {
    const { device } = this.find(who)
    const chosen = requireDeviceName(name)
    if (this.list().some((one) => one.name === chosen && one.device !== device)) {
      throw new UserError('name-taken', `Another of your devices is called "${chosen}".`, {
        hint: 'Choose another name.'
      })
    }
    await this.#setName(device, chosen)
    return this.find(device)
  }

  /** Takes a device out of the account. Throws UserError; then nothing has changed. */
  async remove(who: string, signal?: AbortSignal): Promise<DeviceView> {
    const view = this.find(who)
    if (view.isThis) {
      throw new UserError('own-device', 'A device does not remove itself.', {
        hint: 'Use another device of your account: kith device remove <this device>'
      })
    }
    await this.#removeFromLog(view.device, signal)
    await this.#setName(view.device, undefined)
    return view
  }

  /** Puts the new device into the account's log. `pending` is on disk before. */
  async add(pending: PendingDevice, consent: Uint8Array, signal: AbortSignal): Promise<void> {
    const { device } = pending
    const { clock, store } = this.#components
    await writePending(store, pending)
    await changeAccount(
      this.#components,
      {
        isDone: (state) => identity.hasDevice(state, publicKeyOf(device)),
        sign: (state) =>
          addDeviceOperation(
            { device, consent, state, signer: this.#signer, createdAtMs: clock.now() },
            this.#components.primitives
          )
      },
      signal
    )
    await this.#setName(device, this.#freeName(pending.name))
  }

  /** The new device holds what it needs. */
  async finish(): Promise<void> {
    await writePending(this.#components.store, undefined)
  }

  /**
   * Ends what a link left half-way: a device with key packages at the home has installed its bundle and stays, any
   * other leaves the log. Resolves to what became of it; rejects with ProtocolError, then it is still to be done.
   */
  async settle(
    signal: AbortSignal
  ): Promise<{ device: PendingDevice; stays: boolean } | undefined> {
    const { device: own, directory, homes, rpc, store } = this.#components
    const pending = await readPending(store)
    if (pending === undefined) return undefined
    const state = await directory.refresh(own.account, homes, signal)
    const key = publicKeyOf(pending.device)
    let stays = identity.hasDevice(state, key)
    if (stays) {
      const { packages: taken } = await takeKeyPackages(rpc, {
        account: own.account,
        from: homes,
        signal
      })
      stays = taken.some(({ device }) => deviceIdOf(device) === pending.device)
      if (!stays) await this.#removeFromLog(pending.device, signal)
    }
    if (!stays) await this.#setName(pending.device, undefined)
    await this.finish()
    return { device: pending, stays }
  }

  get #signer() {
    return this.#components.primitives.keyPair(this.#components.device.privateKey)
  }

  async #removeFromLog(device: DeviceId, signal?: AbortSignal): Promise<void> {
    const { clock, primitives } = this.#components
    await changeAccount(
      this.#components,
      {
        isDone: (state) => !identity.hasDevice(state, publicKeyOf(device)),
        sign: (state) =>
          removeDeviceOperation(
            { device, state, signer: this.#signer, createdAtMs: clock.now() },
            primitives
          )
      },
      signal
    ).catch((error: unknown) => {
      throw error instanceof ProtocolError ? homeError(error) : error
    })
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.list().map(({ name }) => name))
    if (!taken.has(wanted)) return wanted
    let number = 2
    while (taken.has(`${wanted}-${number}`)) number += 1
    return `${wanted}-${number}`
  }

  async #setName(device: DeviceId, name: string | undefined): Promise<void> {
    const names = new Map(this.#names)
    if (name === undefined) names.delete(device)
    else names.set(device, name)
    await this.#components.store.commit([deviceNamesWrite([...names])])
    this.#names = names
  }
}

/** The devices of the account, with the names given here. */
export async function openDevices(components: DevicesComponents): Promise<Devices> {
  const devices = new Devices(components)
  await devices.load()
  return devices
}

/** The home of the account refused or was not there. */
export function homeError(cause: ProtocolError): UserError {
  if (['unreachable', 'timeout', 'unavailable', 'rate-limited'].includes(cause.code)) {
    return new UserError('unreachable-relay', 'The relay of your account cannot be reached.', {
      hint: 'The list of devices is kept there: try again when you are online.',
      cause
    })
  }
  return new UserError('relay-refused', `The relay refused the change: ${cause.detail}.`, {
    hint: LIST_HINT,
    cause
  })
}

function createdAtOf(signed: identity.SignedOperation | undefined): number {
  if (signed === undefined) return 0
  const { operation } = signed
  return decodeBounded(identity.Operation, operation, identity.OPERATION_BYTES_MAX).createdAtMs
}
