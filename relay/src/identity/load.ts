// The directory as it was when the relay stopped, rebuilt from the records.
import { idBytes, publicKeyOf } from '@kith/protocols'
import { loadDeliverySecret } from '../box/configure.ts'
import type { StoreReader } from '../storage/reader.ts'
import { Directory } from './directory.ts'
import { loadAccounts } from './records.ts'

export async function loadDirectory(store: StoreReader): Promise<Directory> {
  const directory = new Directory()
  for await (const { box, state } of loadAccounts(store)) {
    const devices = state.devices.map(({ device }) => publicKeyOf(device))
    directory.set({ box, account: idBytes(state.account), devices })
  }
  for (const hosted of directory.all()) {
    hosted.deliverySecret = await loadDeliverySecret(store, hosted.box)
  }
  return directory
}
