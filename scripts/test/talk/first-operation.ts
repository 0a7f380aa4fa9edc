// Operations of the accounts of people in a talk: the one that founds it, and those that add further devices.
import type { KeyPair } from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { idBytes, identity, publicKeyOf, type RelayId } from '@kith/protocols'
import type { World } from './world.ts'

interface FirstOperation {
  readonly keys: KeyPair
  readonly nonce: Uint8Array
  readonly recovery: KeyPair
  readonly homes: readonly { relay: RelayId; addresses: readonly string[] }[]
}

/** Signed by the device itself, as every first operation is. */
export function createOperation(
  { clock }: World,
  { keys, nonce, recovery, homes }: FirstOperation
): identity.SignedOperation {
  return sign(keys, {
    version: identity.OPERATION_VERSION,
    account: new Uint8Array(0),
    sequence: 0,
    previous: new Uint8Array(0),
    createdAtMs: clock.now(),
    create: {
      nonce,
      device: keys.publicKey,
      recoveryKey: recovery.publicKey,
      homes: homes.map(({ relay, addresses }) => ({
        relay: publicKeyOf(relay),
        addresses: [...addresses]
      }))
    }
  })
}

/** By a device that the log names; the new one consents. */
export function addOperation(
  { clock }: World,
  log: readonly identity.SignedOperation[],
  { by, added }: { by: KeyPair; added: KeyPair }
): identity.SignedOperation {
  const state = identity.foldAccountLog(log, primitives)
  const consent = identity.consentToSign(state.account, added.publicKey)
  return sign(by, {
    version: identity.OPERATION_VERSION,
    account: idBytes(state.account),
    sequence: state.length,
    previous: state.head,
    createdAtMs: clock.now(),
    addDevice: {
      device: added.publicKey,
      consent: primitives.sign(added.privateKey, consent)
    }
  })
}

function sign(keys: KeyPair, fields: identity.Operation): identity.SignedOperation {
  const operation = identity.Operation.encode(fields)
  const signature = primitives.sign(keys.privateKey, identity.operationToSign(operation))
  return { operation, signer: keys.publicKey, signature }
}
