// key-packages/take: one package for each device of an account, gone from the disk before it is handed out.
import {
  accountIdOf,
  type Caller,
  HASH_BYTES,
  HOUR_MS,
  type keyPackages,
  ProtocolError,
  publicKeyOf,
  requireBytes
} from '@kith/protocols'
import { loadAccount } from '../identity/index.ts'
import { mapKey } from '../storage/keys.ts'
import type { KeyPackageComponents } from './components.ts'
import { loadLastResort, loadPackages, packageDelete } from './records.ts'
import { type DeviceSupply, handOut } from './state.ts'

/** Single-use packages one device gets of one account; then last-resort ones, so that nobody drains a supply. */
const TAKES = { count: 10, windowMs: HOUR_MS }

/**
 * Throws `not-found` for an account that is not hosted here. A device without any package is left out. An account
 * that the owner blocked gets last-resort packages, as if the others were used up: what it makes of them is
 * refused at the box, and neither the answer nor the stock shows the block.
 */
export async function take(
  { account }: keyPackages.TakeRequest,
  caller: Pick<Caller, 'publicKey'>,
  components: KeyPackageComponents
): Promise<keyPackages.TakeResponse> {
  const { directory, store, commit, takers, clock, events } = components
  requireBytes(account, HASH_BYTES, 'an account')
  const stored = directory.ofAccount(account) && (await loadAccount(store, accountIdOf(account)))
  if (stored === undefined) throw new ProtocolError('not-found', 'account')
  const { box } = stored
  const supplies: DeviceSupply[] = []
  for (const entry of stored.state.devices) {
    const device = publicKeyOf(entry.device)
    const [oldest] = await loadPackages(store, { box, device }, 1)
    supplies.push({ device, oldest, lastResort: await loadLastResort(store, { box, device }) })
  }
  const nowMs = clock.monotonic()
  const taker = takers.bucket(mapKey(caller.publicKey), mapKey(account), TAKES, nowMs)
  const mayConsume = taker.take(nowMs) === 0 && !isBlocked(caller.publicKey, account, directory)
  const handouts = handOut(supplies, mayConsume)
  const consumed = handouts.flatMap(({ device, consumed: sequence }) =>
    sequence === undefined ? [] : [packageDelete({ box, device }, sequence)]
  )
  if (consumed.length > 0) await commit(consumed)
  events.keyPackagesTaken(consumed.length, handouts.length - consumed.length)
  return {
    packages: handouts.map(({ device, keyPackage, lastResort }) => ({
      device,
      keyPackage,
      lastResort
    }))
  }
}

function isBlocked(
  publicKey: Uint8Array,
  account: Uint8Array,
  directory: KeyPackageComponents['directory']
): boolean {
  const taker = directory.ofDevice(publicKey)
  return (
    taker !== undefined && directory.ofAccount(account)?.blocked.has(mapKey(taker.account)) === true
  )
}
