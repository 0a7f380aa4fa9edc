// key-packages/publish: single-use packages and a last-resort one of the calling device.
import type { Write } from '@kith/node/kernel'
import { type Caller, keyPackages, ProtocolError } from '@kith/protocols'
import type { KeyPackageComponents } from './components.ts'
import { lastResortWrite, loadPackages, packageWrite } from './records.ts'
import { PACKAGES_PER_DEVICE_MAX } from './state.ts'

/** Answers once stored. Throws `forbidden`, `malformed` for an empty package, `too-large`, `quota`. */
export async function publish(
  { packages, lastResort }: keyPackages.PublishRequest,
  caller: Pick<Caller, 'publicKey'>,
  { directory, store, commit }: KeyPackageComponents
): Promise<keyPackages.PublishResponse> {
  const hosted = directory.ofDevice(caller.publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  for (const keyPackage of packages) requirePackage(keyPackage)
  const of = { box: hosted.box, device: caller.publicKey }
  const stored = await loadPackages(store, of)
  const available = stored.length + packages.length
  if (available > PACKAGES_PER_DEVICE_MAX) throw new ProtocolError('quota', 'key-packages')
  const last = stored[stored.length - 1]?.sequence ?? 0
  const writes: Write[] = packages.map((keyPackage, index) =>
    packageWrite(of, { sequence: last + 1 + index, keyPackage })
  )
  if (lastResort.byteLength > 0) {
    requirePackage(lastResort)
    writes.push(lastResortWrite(of, lastResort))
  }
  if (writes.length > 0) await commit(writes)
  return { available }
}

function requirePackage(keyPackage: Uint8Array): void {
  if (keyPackage.byteLength === 0) throw new ProtocolError('malformed', 'key-package-empty')
  if (keyPackage.byteLength > keyPackages.KEY_PACKAGE_BYTES_MAX) {
    throw new ProtocolError('too-large', 'key-package')
  }
}
