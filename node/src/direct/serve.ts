// What this node serves to other devices: it takes envelopes they bring, and hands out its own account log and a key
// package of its own, so that a chat can begin and go on with no relay between.
import {
  type DeviceId,
  direct,
  envelope,
  idBytes,
  identity,
  keyPackages,
  messageIdOf,
  ProtocolError,
  publicKeyOf
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Directory } from '../contacts/directory.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { GroupCrypto, LocalDevice } from '../groups/group-crypto.ts'
import type { KeyPackageStore } from '../groups/key-package-store.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Rpc } from '../kernel/rpc.ts'
import { type IsKnown, ServeLimits } from './serve-limits.ts'

export interface ServeComponents {
  readonly rpc: Rpc
  readonly crypto: GroupCrypto
  readonly primitives: Primitives
  readonly keyPackages: KeyPackageStore
  readonly delivery: Delivery
  readonly device: LocalDevice
  readonly directory: Directory
  readonly clock: Clock
  readonly isKnown: IsKnown
  /** Whether it is of this account, by the log. */
  readonly isOwnDevice: (device: DeviceId) => boolean
  readonly isBlocked: (device: DeviceId) => boolean
}

/** Registers the handlers; they end with the network. */
export function serveDevices(components: ServeComponents): void {
  const { rpc, primitives, delivery, device, directory } = components
  const limits = new ServeLimits(components)
  rpc.serve(direct.directDeliver, async ({ envelopes }, caller) => {
    if (components.isBlocked(caller.device)) throw new ProtocolError('forbidden', 'deliver')
    limits.deliver(caller.device, envelopes)
    const tooLarge = envelopes.some(({ byteLength }) => byteLength > envelope.ENVELOPE_BYTES_MAX)
    if (tooLarge) throw new ProtocolError('too-large', 'an envelope')
    const brought = envelopes.map((bytes) => ({
      id: messageIdOf(primitives.sha256(bytes)),
      envelope: bytes
    }))
    const delivered = await delivery.deliver(brought)
    // A stranger learns no more than through the box, where nothing tells it when its messages arrive.
    return { delivered: components.isKnown(caller.device) ? delivered.map(idBytes) : [] }
  })
  rpc.serve(direct.directHeads, async (heads, caller) => {
    if (!components.isOwnDevice(caller.device)) throw new ProtocolError('forbidden', 'heads')
    return delivery.compare(heads)
  })
  rpc.serve(identity.identityFetch, async ({ account, from }) => {
    requireOwn(account, device)
    const operations = directory.operations(device.account)
    const until = from + identity.OPERATIONS_PER_FETCH_MAX
    return { operations: operations.slice(from, until), length: operations.length }
  })
  rpc.serve(keyPackages.keyPackagesTake, async ({ account }, caller) => {
    requireOwn(account, device)
    limits.takePackage(caller.device)
    const keyPackage = await components.keyPackages.handOut()
    const own = { device: publicKeyOf(device.device), keyPackage, lastResort: false }
    return { packages: [own] }
  })
}

function requireOwn(account: Uint8Array, device: LocalDevice): void {
  if (!equals(account, idBytes(device.account))) throw new ProtocolError('not-found', 'account')
}
