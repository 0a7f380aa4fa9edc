// An account with its home relay, as far as linking needs one: a log that takes what follows, and key packages.
import {
  type AccountId,
  type DeviceId,
  deviceIdOf,
  identity,
  keyPackages,
  ProtocolError,
  publicKeyOf,
  relayIdOf
} from '@kith/protocols'
import { Directory } from '../../src/contacts/directory.ts'
import {
  addDeviceOperation,
  createAccountOperation,
  removeDeviceOperation,
  signConsent
} from '../../src/identity/account.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import type { Rpc } from '../../src/kernel/rpc.ts'
import { MemoryDisk, openMemoryStore } from '../../src/kernel/store/memory.ts'
import { type SealedStore, sealStore } from '../../src/kernel/store/sealed.ts'
import { Devices } from '../../src/linking/devices.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

export const keysOf = (value: number) => primitives.keyPair(new Uint8Array(32).fill(value))
export const deviceOf = (value: number): DeviceId => deviceIdOf(keysOf(value).publicKey)
const RELAY = relayIdOf(keysOf(99).publicKey)
export const HOMES = [{ relay: RELAY, addresses: ['/ip4/127.0.0.1/tcp/4001'] }]

export const randomOf = (value = 1) => ({
  bytes: (length: number) => {
    value += 1
    return new Uint8Array(length).fill(value)
  }
})

export async function sealedStore(disk = new MemoryDisk()): Promise<SealedStore> {
  const key = new Uint8Array(32).fill(4)
  return await sealStore(openMemoryStore(disk), { key, primitives, random: randomOf() as never })
}

export class Home {
  readonly operations: identity.SignedOperation[] = []
  readonly account: AccountId
  /** Devices that have published key packages. */
  readonly published = new Set<DeviceId>()
  /** What the next appends throw, before or after they are carried out. */
  readonly failures: ('before' | 'after')[] = []
  isGone = false

  constructor(nonce = 1) {
    const { account, operation } = createAccountOperation(
      {
        nonce: new Uint8Array(identity.NONCE_BYTES).fill(nonce),
        device: keysOf(1),
        recoveryKey: keysOf(98).publicKey,
        homes: HOMES,
        createdAtMs: 1_000
      },
      primitives
    )
    this.account = account
    this.operations.push(operation)
  }

  get state(): identity.AccountState {
    return identity.foldAccountLog(this.operations, primitives)
  }

  get devices(): readonly DeviceId[] {
    return this.state.devices.map(({ device }) => device)
  }

  /** 64 bytes: device `value` wants to belong to the account. */
  consentOf(value: number): Uint8Array {
    return signConsent({ account: this.account, device: keysOf(value) }, primitives)
  }

  /** Another device adds one meanwhile. */
  add(value: number): void {
    this.operations.push(
      addDeviceOperation(
        {
          state: this.state,
          signer: keysOf(1),
          createdAtMs: 2_000,
          device: deviceOf(value),
          consent: this.consentOf(value)
        },
        primitives
      )
    )
  }

  /** Another device removes one meanwhile. */
  remove(value: number, by: number): void {
    this.operations.push(
      removeDeviceOperation(
        { state: this.state, signer: keysOf(by), createdAtMs: 3_000, device: deviceOf(value) },
        primitives
      )
    )
  }

  /** Asked by device 1. */
  rpc(): Rpc {
    const answer = (protocol: unknown, message: never): unknown => {
      if (this.isGone) throw new ProtocolError('unreachable', 'gone')
      if (protocol === identity.identityFetch) {
        const { from } = message as identity.FetchLogRequest
        return { operations: this.operations.slice(from), length: this.operations.length }
      }
      if (protocol === identity.identityAppend) return this.#append(message)
      if (protocol === keyPackages.keyPackagesTake) {
        const packages = [...this.published].map((device) => ({
          device: publicKeyOf(device),
          keyPackage: new Uint8Array(1),
          lastResort: false
        }))
        return { packages }
      }
      throw new ProtocolError('unknown-protocol', 'not in this test')
    }
    const request = async (_peer: unknown, protocol: unknown, message: never) =>
      answer(protocol, message)
    return { request } as unknown as Rpc
  }

  async device(options: { store?: SealedStore; operations?: number } = {}) {
    const store = options.store ?? (await sealedStore())
    const directory = new Directory({ store, rpc: this.rpc(), primitives })
    const known = await directory.load(this.account)
    const all = this.operations.slice(0, options.operations ?? this.operations.length)
    await directory.learn(this.account, all.slice(known?.length ?? 0))
    const devices = new Devices({
      store,
      rpc: this.rpc(),
      primitives,
      clock: new FakeClock(),
      directory,
      device: { account: this.account, device: deviceOf(1), privateKey: keysOf(1).privateKey },
      homes: HOMES.map(({ relay, addresses }) => ({ id: relay, addresses }))
    })
    await devices.load()
    return { store, directory, devices }
  }

  #append({ operation }: identity.AppendOperationRequest): { length: number } {
    const failure = this.failures.shift()
    if (failure === 'before') throw new ProtocolError('unreachable', 'lost')
    if (operation === undefined) throw new ProtocolError('malformed', 'nothing')
    identity.foldAccountLog([operation], primitives, this.state)
    this.operations.push(operation)
    if (failure === 'after') throw new ProtocolError('timeout', 'lost')
    return { length: this.operations.length }
  }
}
