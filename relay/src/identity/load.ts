// The directory as it was when the relay stopped, rebuilt from the records.
import { idBytes, publicKeyOf } from '@kith/protocols'
import { loadSettings } from '../box/configure.ts'
import type { StoreReader } from '../storage/reader.ts'
import { Directory } from './directory.ts'
import { loadAccounts } from './records.ts'

/** Reads every account and its settings. Throws StoreError `corrupt` for a record that cannot be read. */
export async function loadDirectory(store: StoreReader): Promise<Directory> {
  const directory = new Directory()
  for await (const { box, state } of loadAccounts(store)) {
    const devices = state.devices.map(({ device }) => publicKeyOf(device))
    directory.set({ box, account: idBytes(state.account), devices })
  }
  for (const hosted of directory.all()) {
    const settings = await loadSettings(store, hosted.box)
    if (settings !== undefined) Object.assign(hosted, settings)
  }
  return directory
}
