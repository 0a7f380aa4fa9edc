// Worker: writes records to a bare LevelDB in sync batches, one batch at a time.
import { Level } from 'level'
import { BODY_BYTES } from '../body.ts'
import { drive } from '../measure/load.ts'
import { serveCommands } from './serve.ts'

/** What a box entry's key takes: a box, a number. */
const KEY_BYTES = 24

let db: Level<Uint8Array, Uint8Array>
let written = 0

function record() {
  const key = new Uint8Array(KEY_BYTES)
  new DataView(key.buffer).setUint32(KEY_BYTES - 4, written++)
  return { type: 'put' as const, key, value: crypto.getRandomValues(new Uint8Array(BODY_BYTES)) }
}

serveCommands({
  async open({ folder }: { folder: string }) {
    db = new Level(folder, { keyEncoding: 'view', valueEncoding: 'view' })
    await db.open()
  },
  async batches({ count, batch }: { count: number; batch: number }) {
    const batches = Array.from({ length: Math.ceil(count / batch) }, () =>
      Array.from({ length: batch }, record)
    )
    const result = await drive({ count: batches.length, inFlight: 1 }, (index) =>
      db.batch(batches[index] ?? [], { sync: true })
    )
    return { ...result, count, perSecond: result.perSecond * batch }
  }
})
