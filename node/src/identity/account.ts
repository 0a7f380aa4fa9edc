// Operations of an account's log, built and signed. What they mean, and who may make them, is decided by the
// fold in protocols/src/identity/account-log.ts, which every relay and every contact runs.
import { type AccountId, type DeviceId, idBytes, identity, publicKeyOf } from '@kith/protocols'
import type { KeyPair, Primitives } from '../kernel/primitives.ts'

export interface AccountCreation {
  /** 32 random bytes, so that two accounts never share an id. */
  readonly nonce: Uint8Array
  /** The first device; it signs. */
  readonly device: KeyPair
  /** 32 bytes, Ed25519 public key of the offline recovery key. */
  readonly recoveryKey: Uint8Array
  readonly homes: readonly identity.HomeEntry[]
  readonly createdAtMs: number
}

/** The operation before the new one, and who signs. `AccountState` fits as `state`. */
export interface OperationOnto {
  readonly state: Pick<identity.AccountState, 'account' | 'length' | 'head'>
  readonly signer: KeyPair
  readonly createdAtMs: number
}

function encodeHomes(homes: readonly identity.HomeEntry[]): identity.Home[] {
  return homes.map(({ relay, addresses }) => ({
    relay: publicKeyOf(relay),
    addresses: [...addresses]
  }))
}

function signOperation(
  operation: identity.Operation,
  { signer, primitives }: { signer: KeyPair; primitives: Primitives }
): identity.SignedOperation {
  const bytes = identity.Operation.encode(operation)
  const signature = primitives.sign(signer.privateKey, identity.operationToSign(bytes))
  return { operation: bytes, signer: signer.publicKey, signature }
}

/** The kind of an operation with its fields. */
type Kind = Pick<identity.Operation, 'addDevice' | 'removeDevice' | 'setHomes' | 'setRecoveryKey'>

function signOnto(
  kind: Kind,
  { state, signer, createdAtMs, primitives }: OperationOnto & { primitives: Primitives }
): identity.SignedOperation {
  const operation = {
    version: identity.OPERATION_VERSION,
    account: idBytes(state.account),
    sequence: state.length,
    previous: state.head,
    createdAtMs,
    ...kind
  }
  return signOperation(operation, { signer, primitives })
}

/** The first operation of a new account, and the id that it gives the account. */
export function createAccountOperation(
  creation: AccountCreation,
  primitives: Primitives
): { readonly account: AccountId; readonly operation: identity.SignedOperation } {
  const operation = signOperation(
    {
      version: identity.OPERATION_VERSION,
      account: new Uint8Array(0),
      sequence: 0,
      previous: new Uint8Array(0),
      createdAtMs: creation.createdAtMs,
      create: {
        nonce: creation.nonce,
        device: creation.device.publicKey,
        recoveryKey: creation.recoveryKey,
        homes: encodeHomes(creation.homes)
      }
    },
    { signer: creation.device, primitives }
  )
  return {
    account: identity.accountIdOfFirst(operation.operation, primitives.sha256),
    operation
  }
}

/** 64 bytes: the new device says that it wants to belong to the account. Made on the new device. */
export function signConsent(
  { account, device }: { account: AccountId; device: KeyPair },
  primitives: Primitives
): Uint8Array {
  return primitives.sign(device.privateKey, identity.consentToSign(account, device.publicKey))
}

/** Adds a device, by its id and its consent (64 bytes, `signConsent`). */
export function addDeviceOperation(
  { device, consent, ...onto }: OperationOnto & { device: DeviceId; consent: Uint8Array },
  primitives: Primitives
): identity.SignedOperation {
  return signOnto({ addDevice: { device: publicKeyOf(device), consent } }, { ...onto, primitives })
}

/** Removes a device, the signing one or another. The last one of an account stays. */
export function removeDeviceOperation(
  { device, ...onto }: OperationOnto & { device: DeviceId },
  primitives: Primitives
): identity.SignedOperation {
  return signOnto({ removeDevice: { device: publicKeyOf(device) } }, { ...onto, primitives })
}

/** Replaces the list of home relays. */
export function setHomesOperation(
  { homes, ...onto }: OperationOnto & { homes: readonly identity.HomeEntry[] },
  primitives: Primitives
): identity.SignedOperation {
  return signOnto({ setHomes: { homes: encodeHomes(homes) } }, { ...onto, primitives })
}

/** Replaces the recovery key (32 bytes). The signer is the recovery key of now: no device may do this. */
export function setRecoveryKeyOperation(
  { recoveryKey, ...onto }: OperationOnto & { recoveryKey: Uint8Array },
  primitives: Primitives
): identity.SignedOperation {
  return signOnto({ setRecoveryKey: { recoveryKey } }, { ...onto, primitives })
}
