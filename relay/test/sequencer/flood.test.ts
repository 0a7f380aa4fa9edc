// More requests than the disk takes: those beyond the queue are refused at once with when to come again, every other
// one is answered when its receipt is on disk, and the account's use is what is kept.
import { MemoryDisk, openMemoryStore, type Store } from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { sequencer } from '@kith/protocols'
import { expect, it } from 'vitest'
import { Directory } from '../../src/identity/directory.ts'
import { createAppend } from '../../src/sequencer/index.ts'
import { loadUse } from '../../src/sequencer/records.ts'

const KEYS = nodePrimitives.keyPair(new Uint8Array(32).fill(1))
const DEVICE = new Uint8Array(32).fill(2)
const BOX = 7
const WAITING_MAX = 1_024
const SEALED_BYTES = 2_048

const hash = (value: number) => nodePrimitives.sha256(Uint8Array.of(value >> 8, value & 255))

function requestFor(group: number): sequencer.SequenceRequest {
  return {
    group: hash(group),
    epoch: 1,
    commit: hash(group + 1),
    sealed: new Uint8Array(SEALED_BYTES).fill(group),
    proof: hash(1),
    next: sequencer.proofHash(hash(2), nodePrimitives.sha256),
    previous: new Uint8Array(0)
  }
}

it('a flood of changes waits in a bounded queue, and what does not fit is told when to come again', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  const directory = new Directory()
  directory.set({ box: BOX, account: hash(9), devices: [DEVICE] })
  const commit: Store['commit'] = (writes) => store.commit(writes)
  const components = { store, directory, primitives: nodePrimitives, keys: KEYS, commit }
  const append = createAppend(components)
  disk.hold()
  // The first is on its way to the disk; behind it there is room for so many.
  const asked = Array.from({ length: WAITING_MAX + 1 }, (_, group) =>
    append(requestFor(group), { publicKey: DEVICE })
  )
  for (let more = 0; more < 3; more += 1) {
    await expect(append(requestFor(5_000), { publicKey: DEVICE })).rejects.toMatchObject({
      code: 'unavailable',
      detail: 'queue-full',
      retryAfterMs: 500
    })
  }
  disk.release()
  const answers = await Promise.all(asked)
  expect(answers.map(({ sealed }) => sealed[0])).toEqual(asked.map((_, group) => group & 255))
  const use = await loadUse(store, BOX)
  expect(use).toEqual({ groups: WAITING_MAX + 1, bytes: (WAITING_MAX + 1) * (SEALED_BYTES + 512) })
  await expect(append(requestFor(5_000), { publicKey: DEVICE })).resolves.toBeDefined()
})
