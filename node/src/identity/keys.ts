// The keys of one device: one Ed25519 key that is its libp2p identity, its MLS leaf and the signer of its
// messages, and a key that seals its store.
import { type DeviceId, deviceIdOf } from '@kith/protocols'
import type { KeyPair, Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'

export const SEED_BYTES = 32
export const STORE_KEY_BYTES = 32

export interface DeviceKeys {
  readonly device: DeviceId
  readonly keyPair: KeyPair
}

/** What the key file holds, and all that cannot be had again from anywhere else. */
export interface NodeSecrets {
  /** 32 bytes, Ed25519 seed of the device. */
  readonly deviceSeed: Uint8Array
  /** 32 bytes, seals the values of this device's store. */
  readonly storeKey: Uint8Array
}

/** Fresh secrets of a new device. */
export function createNodeSecrets(random: Random): NodeSecrets {
  return { deviceSeed: random.bytes(SEED_BYTES), storeKey: random.bytes(STORE_KEY_BYTES) }
}

/** The device that a 32-byte seed stands for. */
export function createDeviceKeys(seed: Uint8Array, primitives: Primitives): DeviceKeys {
  const keyPair = primitives.keyPair(seed)
  return { device: deviceIdOf(keyPair.publicKey), keyPair }
}
