// A device that is in the account's log but has not said yet that it holds what it needs. Written before the log
// changes, so that whatever ends this process, the next start finds it and settles it.
import type { DeviceId } from '@kith/protocols'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import { storeKey } from '../kernel/store/key.ts'
import type { Store } from '../kernel/store/store.ts'

const KEY = storeKey('linking/pending')

export interface PendingDevice {
  readonly device: DeviceId
  readonly name: string
}

/** The device of a link that has not ended; undefined when there is none. */
export async function readPending(store: Store): Promise<PendingDevice | undefined> {
  const record = await store.get(KEY)
  return record === undefined ? undefined : decodeRecord<PendingDevice>(record)
}

/** Resolves once it is on disk; undefined when there is none any more. */
export async function writePending(
  store: Store,
  pending: PendingDevice | undefined
): Promise<void> {
  await store.commit([
    pending === undefined
      ? { type: 'delete', key: KEY }
      : { type: 'put', key: KEY, value: encodeRecord(pending) }
  ])
}
