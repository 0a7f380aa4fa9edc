// The key-package service's records: the package as it came, under box, device and a sequence; the last-resort
// package under box and device.
import type { Write } from '@kith/node/kernel'
import type { BoxNumber } from '../box/box.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, numberAt, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import { PACKAGES_PER_DEVICE_MAX, type StoredPackage } from './state.ts'

export interface DeviceOf {
  readonly box: BoxNumber
  /** 32 bytes */
  readonly device: Uint8Array
}

/** Table byte, box and device in front of the sequence. */
const SEQUENCE_OFFSET = 1 + 8 + 32

/** The record of one single-use package. */
export function packageWrite(of: DeviceOf, { sequence, keyPackage }: StoredPackage): Write {
  const value = new FieldWriter(keyPackage.byteLength + 1).fixed(keyPackage).finish()
  return { type: 'put', key: packageKey(of, sequence), value }
}

/** Uses a package up. */
export function packageDelete(of: DeviceOf, sequence: number): Write {
  return { type: 'delete', key: packageKey(of, sequence) }
}

/** The record of the last-resort package, in place of an earlier one. */
export function lastResortWrite({ box, device }: DeviceOf, keyPackage: Uint8Array): Write {
  const value = new FieldWriter(keyPackage.byteLength + 1).fixed(keyPackage).finish()
  return { type: 'put', key: key(TABLE.lastResort, box, device), value }
}

/** Deletes every package of a device. None may be published meanwhile. */
export async function packagesDelete(store: StoreReader, of: DeviceOf): Promise<Write[]> {
  const packages = await loadPackages(store, of)
  const writes: Write[] = packages.map(({ sequence }) => packageDelete(of, sequence))
  writes.push({ type: 'delete', key: key(TABLE.lastResort, of.box, of.device) })
  return writes
}

/** Packages of a device, oldest first. */
export async function loadPackages(
  store: StoreReader,
  { box, device }: DeviceOf,
  limit = PACKAGES_PER_DEVICE_MAX
): Promise<StoredPackage[]> {
  const packages: StoredPackage[] = []
  const range = rangeOf(TABLE.keyPackage, box, device)
  for await (const [packageKey, record] of store.scan({ ...range, limit })) {
    const sequence = numberAt(packageKey, SEQUENCE_OFFSET)
    packages.push({ sequence, keyPackage: new FieldReader(record).rest() })
  }
  return packages
}

/** The last-resort package, or undefined when the device has none. */
export async function loadLastResort(
  store: StoreReader,
  { box, device }: DeviceOf
): Promise<Uint8Array | undefined> {
  const record = await store.get(key(TABLE.lastResort, box, device))
  return record && new FieldReader(record).rest()
}

const packageKey = ({ box, device }: DeviceOf, sequence: number): Uint8Array =>
  key(TABLE.keyPackage, box, device, sequence)
