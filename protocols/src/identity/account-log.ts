// The fold of an account log: from signed operations to who the account's devices and homes are. Every relay
// and every client computes it alike, so a relay that invents a device is refused by all. See README.md.
import { equals } from 'uint8arrays/equals'
import { requireBytes } from '../bounded.ts'
import type { Checks } from '../checks.ts'
import { ProtocolError } from '../errors.ts'
import {
  type AccountId,
  accountIdOf,
  type DeviceId,
  deviceIdOf,
  idBytes,
  PUBLIC_KEY_BYTES,
  publicKeyOf
} from '../identifiers.ts'
import {
  consentToSign,
  type HomeEntry,
  OPERATION_VERSION,
  operationHash,
  operationToSign,
  readHomes,
  readOperation
} from './operations.ts'
import type { AddDevice, Create, Operation, SignedOperation } from './pb/identity.ts'

/** Every device is a leaf of every group of the account and a check at every send. */
export const DEVICES_MAX = 64
/** One operation a day for eleven years; a signature check each makes a whole log about 0.8 s. */
export const OPERATIONS_MAX = 4_096
/** Of a fetch: 256 of the largest operations with their signatures are 550 KiB of the megabyte allowed. */
export const OPERATIONS_PER_FETCH_MAX = 256

export interface DeviceEntry {
  readonly device: DeviceId
  /** Sequence of the operation that added it. */
  readonly addedAt: number
}

export interface AccountState {
  readonly account: AccountId
  /** Number of operations folded. */
  readonly length: number
  /** 32 bytes, hash of the last operation. */
  readonly head: Uint8Array
  /** In the order in which they were added. */
  readonly devices: readonly DeviceEntry[]
  readonly homes: readonly HomeEntry[]
  /** 32 bytes, Ed25519 public key; outranks every device. */
  readonly recoveryKey: Uint8Array
}

/**
 * Folds operations, in order, onto the state before them (none: the log from its creation). Throws
 * ProtocolError: `malformed` or `too-large` for what no signer could make valid, `conflict` for an operation
 * that does not follow, `forbidden` for a signature that does not verify or a signer who may not do that.
 * Operations of unknown kind or version count in the chain and change nothing.
 */
export function foldAccountLog(
  operations: readonly SignedOperation[],
  checks: Checks,
  onto?: AccountState
): AccountState {
  let state = onto
  for (const signed of operations) {
    state = step(state, signed, checks)
  }
  if (state === undefined) {
    throw new ProtocolError('malformed', 'an account log without operations')
  }
  return state
}

function step(
  state: AccountState | undefined,
  signed: SignedOperation,
  checks: Checks
): AccountState {
  const operation = readOperation(signed)
  return state === undefined
    ? begin(operation, signed, checks)
    : advance(state, operation, signed, checks)
}

function begin(operation: Operation, signed: SignedOperation, checks: Checks): AccountState {
  if (operation.sequence !== 0) {
    throw new ProtocolError('conflict', 'the log does not start at its first operation')
  }
  const { create } = operation
  if (create === undefined || operation.version !== OPERATION_VERSION) {
    throw new ProtocolError('malformed', 'the first operation creates the account')
  }
  if (!equals(signed.signer, create.device)) {
    throw new ProtocolError('forbidden', 'an account is created by its first device')
  }
  requireSignature(signed, checks)
  return createdBy(create, operationHash(signed.operation, checks.sha256))
}

function createdBy(create: Create, hash: Uint8Array): AccountState {
  if (equals(create.device, create.recoveryKey)) {
    throw new ProtocolError('malformed', 'the recovery key is also a device')
  }
  return {
    account: accountIdOf(hash),
    length: 1,
    head: hash,
    devices: [{ device: deviceIdOf(create.device), addedAt: 0 }],
    homes: readHomes(create.homes),
    recoveryKey: create.recoveryKey.slice()
  }
}

function advance(
  state: AccountState,
  operation: Operation,
  signed: SignedOperation,
  checks: Checks
): AccountState {
  requireFollows(state, operation)
  const isRecovery = equals(signed.signer, state.recoveryKey)
  if (!isRecovery && !hasDevice(state, signed.signer)) {
    throw new ProtocolError('forbidden', 'the signer does not belong to the account')
  }
  requireSignature(signed, checks)
  if (operation.setRecoveryKey !== undefined && isKnown(operation) && !isRecovery) {
    throw new ProtocolError('forbidden', 'only the recovery key replaces the recovery key')
  }
  return {
    ...(isKnown(operation) ? change(state, operation, checks) : state),
    length: state.length + 1,
    head: operationHash(signed.operation, checks.sha256)
  }
}

const isKnown = (operation: Operation): boolean => operation.version === OPERATION_VERSION

function requireFollows(state: AccountState, operation: Operation): void {
  if (
    operation.sequence !== state.length ||
    !equals(operation.account, idBytes(state.account)) ||
    !equals(operation.previous, state.head)
  ) {
    throw new ProtocolError('conflict', 'the operation does not follow the last one')
  }
  if (state.length >= OPERATIONS_MAX) {
    throw new ProtocolError('forbidden', `an account log has at most ${OPERATIONS_MAX} operations`)
  }
}

function requireSignature(signed: SignedOperation, checks: Checks): void {
  const message = operationToSign(signed.operation)
  if (!checks.verify(signed.signer, message, signed.signature)) {
    throw new ProtocolError('forbidden', 'the signature does not verify')
  }
}

/** Fields of an unknown kind are not decoded, so none of the known ones is present: nothing changes. */
function change(state: AccountState, operation: Operation, checks: Checks): AccountState {
  if (operation.create !== undefined) {
    throw new ProtocolError('forbidden', 'an account is created only once')
  }
  if (operation.addDevice !== undefined) {
    return withDevice(state, operation.addDevice, checks)
  }
  if (operation.removeDevice !== undefined) {
    return withoutDevice(state, operation.removeDevice.device)
  }
  if (operation.setHomes !== undefined) {
    return { ...state, homes: readHomes(operation.setHomes.homes) }
  }
  if (operation.setRecoveryKey !== undefined) {
    return withRecoveryKey(state, operation.setRecoveryKey.recoveryKey)
  }
  return state
}

function withDevice(
  state: AccountState,
  { device, consent }: AddDevice,
  checks: Checks
): AccountState {
  if (hasDevice(state, device)) {
    throw new ProtocolError('conflict', 'the device already belongs to the account')
  }
  if (state.devices.length >= DEVICES_MAX) {
    throw new ProtocolError('forbidden', `an account has at most ${DEVICES_MAX} devices`)
  }
  if (equals(device, state.recoveryKey)) {
    throw new ProtocolError('malformed', 'the recovery key is also a device')
  }
  if (!checks.verify(device, consentToSign(state.account, device), consent)) {
    throw new ProtocolError('forbidden', 'the new device has not consented')
  }
  const entry = { device: deviceIdOf(device), addedAt: state.length }
  return { ...state, devices: [...state.devices, entry] }
}

/** The last device stays: an account without one could only be taken back with the recovery key. */
function withoutDevice(state: AccountState, device: Uint8Array): AccountState {
  if (!hasDevice(state, device)) {
    throw new ProtocolError('conflict', 'the device does not belong to the account')
  }
  if (state.devices.length === 1) {
    throw new ProtocolError('forbidden', 'the last device of an account stays')
  }
  const removed = deviceIdOf(device)
  return { ...state, devices: state.devices.filter((entry) => entry.device !== removed) }
}

function withRecoveryKey(state: AccountState, recoveryKey: Uint8Array): AccountState {
  if (hasDevice(state, recoveryKey)) {
    throw new ProtocolError('malformed', 'the recovery key is also a device')
  }
  return { ...state, recoveryKey: recoveryKey.slice() }
}

/** `publicKey`: 32 bytes. */
export function hasDevice(state: AccountState, publicKey: Uint8Array): boolean {
  requireBytes(publicKey, PUBLIC_KEY_BYTES, 'a device')
  return state.devices.some(({ device }) => equals(publicKeyOf(device), publicKey))
}
