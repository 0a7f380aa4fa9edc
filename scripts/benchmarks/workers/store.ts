// Worker: commits one record at a time to the store a relay and a node use.
import { silentLog } from '@kith/node/kernel'
import { openLevelStore } from '@kith/node/kernel/host'
import { BODY_BYTES } from '../body.ts'
import { drive, type Load } from '../measure/load.ts'
import { serveCommands } from './serve.ts'

/** What a box entry's key takes: a box, a number. */
const KEY_BYTES = 24

let store: Awaited<ReturnType<typeof openLevelStore>>
let written = 0

function record() {
  const key = new Uint8Array(KEY_BYTES)
  new DataView(key.buffer).setUint32(KEY_BYTES - 4, written++)
  return { type: 'put' as const, key, value: crypto.getRandomValues(new Uint8Array(BODY_BYTES)) }
}

serveCommands({
  async open({ folder }: { folder: string }) {
    store = await openLevelStore({ folder, log: silentLog })
  },
  commit(load: Load) {
    const records = Array.from({ length: load.count }, record)
    return drive(load, (index) => store.commit(records.slice(index, index + 1)))
  }
})
