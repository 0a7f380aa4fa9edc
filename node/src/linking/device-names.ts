// What this user calls the account's devices. Names are kept on each device for itself; a new one begins with those
// of the device that linked it.
import { type DeviceId, ProtocolError, requireName } from '@kith/protocols'
import { UserError } from '../api.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { Store, Write } from '../kernel/store/store.ts'

const KEY = storeKey('linking/device-names')

export type DeviceNames = readonly (readonly [device: DeviceId, name: string])[]

/** Reads the names given so far. */
export async function readDeviceNames(store: Store): Promise<Map<DeviceId, string>> {
  const record = await store.get(KEY)
  return new Map(record === undefined ? [] : decodeRecord<DeviceNames>(record))
}

/** Replaces all names. */
export const deviceNamesWrite = (names: DeviceNames): Write => ({
  type: 'put',
  key: KEY,
  value: encodeRecord(names)
})

/** Returns the name; throws UserError `bad-name`. */
export function requireDeviceName(name: string): string {
  try {
    return requireName(name.trim())
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new UserError('bad-name', 'A device has a name of 1 to 64 bytes of printable text.', {
      hint: 'Choose a short one: laptop, phone',
      cause
    })
  }
}
