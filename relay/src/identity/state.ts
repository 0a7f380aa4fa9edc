// Whether an operation may join the log of an account here: compare-and-append, homes, devices, invite, quota.
// Pure; the fold itself is the protocol's, so that relay and clients judge alike.
import {
  type Checks,
  type DeviceId,
  identity,
  ProtocolError,
  publicKeyOf,
  type RelayId
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'

export interface AppendCase {
  readonly signed: identity.SignedOperation
  readonly operation: identity.Operation
  /** The account as stored; undefined when it is not hosted here. */
  readonly stored: identity.AccountState | undefined
  /** The stored operation at the sequence of the new one. */
  readonly atSequence: identity.SignedOperation | undefined
  readonly relay: RelayId
  /** Needs no invite, or the invite shown has uses left. */
  readonly mayRegister: boolean
  readonly hasRoom: boolean
  /** Whether the device belongs to another account of this relay. */
  isForeign(device: DeviceId): boolean
}

export type AppendDecision =
  /** The very same operation is there already. */
  | { readonly type: 'repeat'; readonly length: number }
  | { readonly type: 'append'; readonly state: identity.AccountState }

/**
 * Throws ProtocolError: `conflict` when the operation does not follow or a device belongs to another account,
 * `forbidden` when the account does not name this relay among its homes, `not-found`, `invite`, `quota`, and
 * what the fold throws.
 */
export function decideAppend(input: AppendCase, checks: Checks): AppendDecision {
  const { signed, stored, atSequence } = input
  if (stored !== undefined && atSequence !== undefined) {
    if (!isSame(signed, atSequence)) throw new ProtocolError('conflict', 'sequence-taken')
    return { type: 'repeat', length: stored.length }
  }
  if (stored === undefined && input.operation.sequence !== 0) {
    throw new ProtocolError('not-found', 'account')
  }
  const state = identity.foldAccountLog([signed], checks, stored)
  if (state.devices.some(({ device }) => input.isForeign(device))) {
    throw new ProtocolError('conflict', 'device-of-another-account')
  }
  if (stored === undefined) requireWelcome(state, input)
  return { type: 'append', state }
}

/** Devices (32 bytes each) that the account had and has no more. */
export function removedDevices(
  before: identity.AccountState | undefined,
  after: identity.AccountState
): Uint8Array[] {
  const kept = new Set(after.devices.map(({ device }) => device))
  const gone = before?.devices.filter(({ device }) => !kept.has(device)) ?? []
  return gone.map(({ device }) => publicKeyOf(device))
}

function requireWelcome(state: identity.AccountState, input: AppendCase): void {
  if (!state.homes.some((home) => home.relay === input.relay)) {
    throw new ProtocolError('forbidden', 'relay-not-among-homes')
  }
  if (!input.mayRegister) throw new ProtocolError('invite', 'invite-unknown-or-used-up')
  if (!input.hasRoom) throw new ProtocolError('quota', 'accounts')
}

function isSame(a: identity.SignedOperation, b: identity.SignedOperation): boolean {
  return (
    equals(a.operation, b.operation) &&
    equals(a.signer, b.signer) &&
    equals(a.signature, b.signature)
  )
}
