// An account of the simulation: its log, which grows as devices are added, and what its devices start with.

import type { KeyPair } from '@kith/node/kernel'
import { addDeviceOperation, createAccountOperation, signConsent } from '@kith/node/testing'
import { type AccountId, deviceIdOf, identity } from '@kith/protocols'
import type { Dice } from '../storm/dice.ts'
import { randomOf } from './chance.ts'
import { symbolicPrimitives as primitives } from './primitives.ts'

/** Any moment: nothing reads it. */
const CREATED_MS = Date.UTC(2030, 0, 1)

export interface AccountInit {
  readonly name: string
  readonly dice: Dice
  readonly homes: readonly identity.HomeEntry[]
}

export class Account {
  readonly name: string
  readonly homes: readonly identity.HomeEntry[]
  readonly devices: KeyPair[] = []
  readonly #secrets: { nonce: Uint8Array; recovery: Uint8Array; delivery: Uint8Array }
  #operations: identity.SignedOperation[] = []
  #id: AccountId | undefined

  constructor({ name, dice, homes }: AccountInit) {
    const random = randomOf(dice)
    this.name = name
    this.homes = homes
    this.#secrets = {
      nonce: random.bytes(identity.NONCE_BYTES),
      recovery: primitives.keyPair(random.bytes(32)).publicKey,
      delivery: random.bytes(32)
    }
  }

  get id(): AccountId {
    if (this.#id === undefined) throw new Error('an account without a device')
    return this.#id
  }

  /** The first device founds the account, every other is added by the first. */
  add(device: KeyPair): void {
    this.devices.push(device)
    const [signer = device] = this.devices
    if (this.#id === undefined) {
      const { nonce, recovery: recoveryKey } = this.#secrets
      const created = createAccountOperation(
        { nonce, device, recoveryKey, homes: this.homes, createdAtMs: CREATED_MS },
        primitives
      )
      this.#id = created.account
      this.#operations = [created.operation]
      return
    }
    const state = identity.foldAccountLog(this.#operations, primitives)
    const consent = signConsent({ account: this.id, device }, primitives)
    const added = deviceIdOf(device.publicKey)
    const onto = { state, signer, createdAtMs: CREATED_MS }
    this.#operations = [
      ...this.#operations,
      addDeviceOperation({ device: added, consent, ...onto }, primitives)
    ]
  }

  /** What a device that is added now starts with. */
  profile() {
    return {
      account: this.id,
      name: this.name,
      operations: this.#operations,
      homes: this.homes,
      deliverySecret: this.#secrets.delivery,
      invite: ''
    }
  }
}
