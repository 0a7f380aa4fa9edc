// One operation of an account log by itself: what is hashed and signed, and whether its fields have the shapes
// and sizes the contract gives them. What an operation may do is decided in account-log.ts.
import { concat } from 'uint8arrays/concat'
import { requireAddresses } from '../addresses.ts'
import { decodeBounded, requireBytes } from '../bounded.ts'
import { BoundedReader } from '../bounded-reader.ts'
import type { Sha256 } from '../checks.ts'
import { ProtocolError } from '../errors.ts'
import {
  type AccountId,
  accountIdOf,
  HASH_BYTES,
  idBytes,
  PUBLIC_KEY_BYTES,
  type RelayId,
  relayIdOf,
  SIGNATURE_BYTES
} from '../identifiers.ts'
import { LABELS } from '../labels.ts'
import { KIB } from '../units.ts'
import { type Home, Operation, type SignedOperation } from './pb/identity.ts'

/** Three homes with several addresses each fit; a whole log of 4,096 stays under 9 MB. */
export const OPERATION_BYTES_MAX = 2 * KIB
export const NONCE_BYTES = 32
/** The version whose kinds this code understands; later ones are carried and change nothing. */
export const OPERATION_VERSION = 1

/** Field numbers of the oneof `kind`, those of later versions included; other new fields come after. */
const KIND_FIELD_FIRST = 6
const KIND_FIELD_LAST = 31

export interface HomeEntry {
  readonly relay: RelayId
  readonly addresses: readonly string[]
}

/** 32 bytes: what the next operation names as `previous`. `operation` is the encoded Operation. */
export function operationHash(operation: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(LABELS.account, operation)
}

/** The account that this encoded first operation creates. */
export function accountIdOfFirst(operation: Uint8Array, sha256: Sha256): AccountId {
  return accountIdOf(operationHash(operation, sha256))
}

/** What the signer of an encoded Operation signs. */
export function operationToSign(operation: Uint8Array): Uint8Array {
  return concat([LABELS.accountOperation, operation])
}

/** What a new device (32 bytes, Ed25519 public key) signs to say that it wants to belong to the account. */
export function consentToSign(account: AccountId, device: Uint8Array): Uint8Array {
  return concat([
    LABELS.deviceConsent,
    idBytes(account),
    requireBytes(device, PUBLIC_KEY_BYTES, 'a device')
  ])
}

/**
 * The operation inside, with every field of a known kind checked for shape and size. Throws ProtocolError
 * `malformed` or `too-large`. Signature, order and rank are not looked at.
 */
export function readOperation(signed: SignedOperation): Operation {
  requireBytes(signed.signer, PUBLIC_KEY_BYTES, 'a signer')
  requireBytes(signed.signature, SIGNATURE_BYTES, 'a signature')
  const operation = decodeBounded(Operation, signed.operation, OPERATION_BYTES_MAX)
  requireOneReading(signed.operation)
  if (operation.version < OPERATION_VERSION) {
    throw new ProtocolError('malformed', 'an operation without a version')
  }
  requireBytes(operation.account, operation.sequence === 0 ? 0 : HASH_BYTES, 'the account')
  requireBytes(operation.previous, operation.sequence === 0 ? 0 : HASH_BYTES, 'the hash before')
  if (operation.version === OPERATION_VERSION) {
    requireKind(operation)
  }
  return operation
}

/**
 * Decoders differ in what they make of two kinds, or of a field that comes twice; an operation is folded by all
 * alike or by none, so its fields ascend, each at most once, with at most one kind.
 */
function requireOneReading(operation: Uint8Array): void {
  const fields = fieldNumbersOf(operation)
  const ascend = fields.every((field, index) => index === 0 || field > (fields[index - 1] ?? 0))
  const kinds = fields.filter((field) => field >= KIND_FIELD_FIRST && field <= KIND_FIELD_LAST)
  if (!ascend || kinds.length > 1) {
    throw new ProtocolError('malformed', 'an operation that can be read in two ways')
  }
}

function fieldNumbersOf(message: Uint8Array): number[] {
  const reader = new BoundedReader(message)
  const fields: number[] = []
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      fields.push(tag >>> 3)
      reader.skipType(tag & 7)
    }
  } catch (cause) {
    throw new ProtocolError('malformed', 'not an encoding of an operation', { cause })
  }
  return fields
}

function requireKind({ create, addDevice, setHomes, setRecoveryKey }: Operation): void {
  if (create !== undefined) {
    requireBytes(create.nonce, NONCE_BYTES, 'a nonce')
    requireBytes(create.device, PUBLIC_KEY_BYTES, 'a device')
    requireBytes(create.recoveryKey, PUBLIC_KEY_BYTES, 'a recovery key')
    readHomes(create.homes)
  }
  if (addDevice !== undefined) {
    requireBytes(addDevice.device, PUBLIC_KEY_BYTES, 'a device')
    requireBytes(addDevice.consent, SIGNATURE_BYTES, 'a consent')
  }
  if (setHomes !== undefined) {
    readHomes(setHomes.homes)
  }
  if (setRecoveryKey !== undefined) {
    requireBytes(setRecoveryKey.recoveryKey, PUBLIC_KEY_BYTES, 'a recovery key')
  }
}

/** Throws ProtocolError `malformed` unless there is a home, no relay twice, and each has good addresses. */
export function readHomes(homes: readonly Home[]): readonly HomeEntry[] {
  if (homes.length === 0) {
    throw new ProtocolError('malformed', 'an account has at least one home')
  }
  const entries = homes.map((home) => ({
    relay: relayIdOf(home.relay),
    addresses: requireAddresses(home.addresses)
  }))
  if (new Set(entries.map((entry) => entry.relay)).size !== entries.length) {
    throw new ProtocolError('malformed', 'a relay is named twice among the homes')
  }
  return entries
}
