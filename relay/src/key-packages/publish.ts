// key-packages/publish: single-use packages and a last-resort one of the calling device; and what it withdraws.
import type { Write } from '@kith/node/kernel'
import { type Caller, HASH_BYTES, keyPackages, ProtocolError, requireBytes } from '@kith/protocols'
import { mapKey } from '../storage/keys.ts'
import type { KeyPackageComponents } from './components.ts'
import {
  lastResortWrite,
  loadLastResort,
  loadPackages,
  packageDelete,
  packageWrite
} from './records.ts'
import { PACKAGES_PER_DEVICE_MAX, type StoredPackage } from './state.ts'

/**
 * Answers, once stored, with what there is: a device tells from it which packages it can still be invited with. Throws
 * `forbidden`, `malformed` for an empty package or a hash of another length, `too-large`, `quota`.
 */
export async function publish(
  { packages, lastResort, withdraw }: keyPackages.PublishRequest,
  caller: Pick<Caller, 'publicKey'>,
  { directory, store, commit, primitives }: KeyPackageComponents
): Promise<keyPackages.PublishResponse> {
  const hosted = directory.ofDevice(caller.publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  for (const keyPackage of packages) requirePackage(keyPackage)
  const withdrawn = new Set(
    withdraw.map((hash) => mapKey(requireBytes(hash, HASH_BYTES, 'a hash')))
  )
  const of = { box: hosted.box, device: caller.publicKey }
  const stored = await loadPackages(store, of)
  const isLeft = ({ keyPackage }: StoredPackage) =>
    !withdrawn.has(mapKey(primitives.sha256(keyPackage)))
  const left = stored.filter(isLeft)
  if (left.length + packages.length > PACKAGES_PER_DEVICE_MAX) {
    throw new ProtocolError('quota', 'key-packages')
  }
  const last = stored[stored.length - 1]?.sequence ?? 0
  const writes: Write[] = [
    ...stored.filter((one) => !isLeft(one)).map(({ sequence }) => packageDelete(of, sequence)),
    ...packages.map((keyPackage, index) =>
      packageWrite(of, { sequence: last + 1 + index, keyPackage })
    )
  ]
  if (lastResort.byteLength > 0) {
    requirePackage(lastResort)
    writes.push(lastResortWrite(of, lastResort))
  }
  if (writes.length > 0) await commit(writes)
  const kept = lastResort.byteLength > 0 ? lastResort : await loadLastResort(store, of)
  const held = [...left.map(({ keyPackage }) => keyPackage), ...packages]
  return {
    held: held.map((keyPackage) => primitives.sha256(keyPackage)),
    lastResort: kept === undefined ? new Uint8Array(0) : primitives.sha256(kept)
  }
}

function requirePackage(keyPackage: Uint8Array): void {
  if (keyPackage.byteLength === 0) throw new ProtocolError('malformed', 'key-package-empty')
  if (keyPackage.byteLength > keyPackages.KEY_PACKAGE_BYTES_MAX) {
    throw new ProtocolError('too-large', 'key-package')
  }
}
