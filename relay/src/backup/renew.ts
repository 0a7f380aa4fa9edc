// A new life of a store: another store epoch, and every log chained anew under it, so that no device takes a restored log
// for the one that it knew. Devices read it from the beginning and offer what it has forgotten.
import type { Clock, Primitives, Random, Store, Write } from '@kith/node/kernel'
import { box as protocol } from '@kith/protocols'
import type { Box } from '../box/box.ts'
import { boxWrite, loadBoxes, loadEntries } from '../box/records.ts'
import { type Meta, metaWrites } from '../storage/meta.ts'

const BATCH = 1_024
/** Boxes of one transaction. */
const BOXES = 256
const NO_SIGNATURE = new Uint8Array(0)

export interface RenewComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly random: Random
  readonly clock: Clock
}

/**
 * The epoch is written last: a store in which this was interrupted has chains of two lives, which `checkStore` finds, and
 * is to be restored again.
 */
export async function renewStore(
  components: RenewComponents,
  { sequence }: Meta
): Promise<Uint8Array> {
  const { store, random } = components
  const storeEpoch = random.bytes(protocol.STORE_EPOCH_BYTES)
  const next = { storeEpoch, sequence: sequence + 1 }
  let writes: Write[] = []
  for (const box of await loadBoxes(store)) {
    writes.push(await renewBox(components, next, box))
    if (writes.length < BOXES) continue
    await store.commit(writes)
    writes = []
  }
  await store.commit([...writes, ...metaWrites(next)])
  return storeEpoch
}

async function renewBox(
  { store, primitives, clock }: RenewComponents,
  { storeEpoch, sequence }: Meta,
  box: Box
): Promise<Write> {
  const { sha256 } = primitives
  let chain = protocol.chainStart(storeEpoch, box.account, sha256)
  for (let from = 1; from <= box.number; from += BATCH) {
    const range = { from, to: Math.min(box.number, from + BATCH - 1), limit: BATCH }
    for (const { number, envelopeId } of await loadEntries(store, box.box, range)) {
      chain = protocol.chainNext(chain, number, envelopeId, sha256)
    }
  }
  const head = { box: box.account, number: box.number, chain }
  const root = protocol.merkleRoot([protocol.boxHeadLeaf(head)], sha256)
  const committedAtMs = clock.now()
  const commit = protocol.Commit.encode({ storeEpoch, sequence, leafCount: 1, root, committedAtMs })
  const signed = { head, commit: { commit, signature: NO_SIGNATURE }, leafIndex: 0, path: [] }
  return boxWrite({ ...box, chain }, signed)
}
