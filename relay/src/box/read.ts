// Reads a run of entries for one item: from memory while it is there, else from the store.
import { StoreError } from '@kith/node/kernel'
import type { box as protocol } from '@kith/protocols'
import type { BoxNumber } from './box.ts'
import type { BoxComponents } from './components.ts'
import { ITEM_BYTES_MAX, ITEM_ENTRIES_MAX } from './constants.ts'
import { loadEntries, loadEnvelopes, type StoredEntry } from './records.ts'

const NO_BYTES = new Uint8Array(0)

export interface EntryRange {
  readonly box: BoxNumber
  /** First and last number, inclusive; `to` is durable. */
  readonly from: number
  readonly to: number
  /** Map key of the reading device; what it appended itself lately comes without the body. */
  readonly device: string
}

/** At least one entry in order without a gap; at most ITEM_ENTRIES_MAX and about ITEM_BYTES_MAX. */
export async function readEntries(
  range: EntryRange,
  { boxes, store }: Pick<BoxComponents, 'boxes' | 'store'>
): Promise<protocol.Entry[]> {
  const fresh = readLive(range, boxes.live)
  return fresh.length > 0 ? fresh : readStored(range, store)
}

function readLive(range: EntryRange, live: BoxComponents['boxes']['live']): protocol.Entry[] {
  const entries: protocol.Entry[] = []
  let bytes = 0
  const last = Math.min(range.to, range.from + ITEM_ENTRIES_MAX - 1)
  for (let number = range.from; number <= last; number++) {
    const found = live.entry(range.box, number)
    if (found === undefined) break
    const isOwn = found.device === range.device
    bytes += isOwn ? 0 : found.entry.envelope.byteLength
    if (bytes > ITEM_BYTES_MAX && entries.length > 0) break
    entries.push(isOwn ? { ...found.entry, envelope: NO_BYTES } : found.entry)
  }
  return entries
}

async function readStored(
  { box, from, to }: EntryRange,
  store: BoxComponents['store']
): Promise<protocol.Entry[]> {
  const stored = await loadEntries(store, box, { from, to, limit: ITEM_ENTRIES_MAX })
  if (stored[0]?.number !== from) throw new StoreError('corrupt', 'Entries of a box are missing.')
  const taken = firstBytes(stored)
  const envelopes = await loadEnvelopes(
    store,
    taken.map((entry) => entry.envelopeId)
  )
  return taken.map(({ number, envelopeId, receivedAtMs }, index) => {
    const envelope = envelopes[index] ?? NO_BYTES
    return { number, envelopeId, envelope, receivedAtMs }
  })
}

function firstBytes(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  let bytes = 0
  const end = entries.findIndex((entry, index) => {
    bytes += entry.bytes
    return bytes > ITEM_BYTES_MAX && index > 0
  })
  return end === -1 ? entries : entries.slice(0, end)
}
