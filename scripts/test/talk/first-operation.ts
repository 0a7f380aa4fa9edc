// The operation that founds the account of a person in a talk.
import type { KeyPair } from '@kith/node/kernel'
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { identity, publicKeyOf, type RelayId } from '@kith/protocols'
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
  const operation = identity.Operation.encode({
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
  const signature = primitives.sign(keys.privateKey, identity.operationToSign(operation))
  return { operation, signer: keys.publicKey, signature }
}
