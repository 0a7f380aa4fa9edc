// Account logs for tests: builds operations that follow each other, and lets a test bend any of them.
import { idBytes, identity } from '@kith/protocols'
import { checks, type Signer, signer } from '../checks.ts'

export const FIRST = signer(1)
export const SECOND = signer(2)
export const RECOVERY = signer(9)
const RELAY = signer(20)
export const STRANGER = signer(66)

export const HOME: identity.Home = {
  relay: RELAY.publicKey,
  addresses: ['/ip4/127.0.0.1/tcp/4001']
}

export function signOperation(operation: Uint8Array, by: Signer): identity.SignedOperation {
  return {
    operation,
    signer: by.publicKey,
    signature: by.sign(identity.operationToSign(operation))
  }
}

export const BLANK: identity.Operation = {
  version: 1,
  account: new Uint8Array(0),
  sequence: 0,
  previous: new Uint8Array(0),
  createdAtMs: 1_700_000_000_000
}

export const CREATE: identity.Create = {
  nonce: new Uint8Array(32).fill(7),
  device: FIRST.publicKey,
  recoveryKey: RECOVERY.publicKey,
  homes: [HOME]
}

/** A create by FIRST with RECOVERY; `changes` replace fields of the create. */
export function create(
  changes: Partial<identity.Create> = {},
  by = FIRST
): identity.SignedOperation {
  return signOperation(
    identity.Operation.encode({ ...BLANK, create: { ...CREATE, ...changes } }),
    by
  )
}

export type Kind = Pick<
  identity.Operation,
  'create' | 'addDevice' | 'removeDevice' | 'setHomes' | 'setRecoveryKey'
>

/** The operation that follows `state`; `changes` replace fields of it, bent or not. */
export function next(
  state: identity.AccountState,
  kind: Kind,
  { by = FIRST, changes = {} }: { by?: Signer; changes?: Partial<identity.Operation> } = {}
): identity.SignedOperation {
  const operation = {
    ...BLANK,
    account: idBytes(state.account),
    sequence: state.length,
    previous: state.head,
    ...kind,
    ...changes
  }
  return signOperation(identity.Operation.encode(operation), by)
}

/** An add-device with the consent of the device; `consent` replaces it. */
export function addDevice(
  state: identity.AccountState,
  device: Signer,
  consent?: Uint8Array
): Kind {
  const message = identity.consentToSign(state.account, device.publicKey)
  return { addDevice: { device: device.publicKey, consent: consent ?? device.sign(message) } }
}

export function removeDevice(device: Signer): Kind {
  return { removeDevice: { device: device.publicKey } }
}

export function fold(
  operations: readonly identity.SignedOperation[],
  onto?: identity.AccountState
): identity.AccountState {
  return identity.foldAccountLog(operations, checks, onto)
}
