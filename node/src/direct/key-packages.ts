// Key packages of others: taken from whoever hands them out, a home relay or the device itself.
import { type AccountId, idBytes, keyPackages, ProtocolError } from '@kith/protocols'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'

/**
 * One package for each device of the account that the first answering peer has some for, and who that was. Rejects
 * with the last refusal, or `unreachable` when there is nobody to ask.
 */
export async function takeKeyPackages(
  rpc: Rpc,
  options: { account: AccountId; from: readonly PeerAddress[]; signal: AbortSignal }
): Promise<{ packages: readonly keyPackages.DevicePackage[]; from: PeerAddress }> {
  let failure: unknown = new ProtocolError('unreachable', 'nobody hands out key packages')
  const request = { account: idBytes(options.account) }
  const { signal } = options
  for (const peer of options.from) {
    try {
      const taken = await rpc.request(peer, keyPackages.keyPackagesTake, request, { signal })
      return { packages: taken.packages, from: peer }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
