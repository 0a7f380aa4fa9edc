// The box service's records. Box: account (32 bytes), number, chain (32), bytes, strangers, head without its
// signature.
// Entry: envelope id (32), receivedAtMs, bytes. Envelope: its placements, then the body, stored once.
import type { Write } from '@kith/node/kernel'
import { HASH_BYTES, box as protocol } from '@kith/protocols'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, numberAt, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { Append, Box, BoxNumber, Placement, StrangerEntry } from './box.ts'

/** Version, id and two varints. */
const ENTRY_RECORD_BYTES = 64
/** Version, count and two varints a placement, generously. */
const PLACEMENT_BYTES = 16

export interface StoredEntry {
  readonly number: number
  /** 32 bytes */
  readonly envelopeId: Uint8Array
  readonly receivedAtMs: number
  /** Size of the envelope. */
  readonly bytes: number
}

/** The record of a box with its newest head, whose signature is not kept. */
export function boxWrite(box: Box, head: protocol.SignedHead): Write {
  const record = new FieldWriter()
    .fixed(box.account)
    .varint(box.number)
    .fixed(box.chain)
    .varint(box.bytes)
    .varint(box.strangers.length)
  for (const { number, sender, bytes } of box.strangers) {
    record.varint(number).varint(sender).varint(bytes)
  }
  record.sized(protocol.SignedHead.encode(head))
  return { type: 'put', key: key(TABLE.box, box.box), value: record.finish() }
}

function readBox(number: BoxNumber, record: Uint8Array): [Box, protocol.SignedHead] {
  const reader = new FieldReader(record)
  const account = reader.copy(HASH_BYTES)
  const last = reader.varint()
  const chain = reader.copy(HASH_BYTES)
  const bytes = reader.varint()
  const strangers: StrangerEntry[] = []
  for (let left = reader.varint(); left > 0; left--) {
    const entry = { number: reader.varint(), sender: reader.varint(), bytes: reader.varint() }
    strangers.push(entry)
  }
  const head = protocol.SignedHead.decode(reader.sized())
  return [{ box: number, account, number: last, chain, bytes, strangers }, head]
}

/** Every box on disk. */
export async function loadBoxes(store: StoreReader): Promise<Box[]> {
  const boxes: Box[] = []
  for await (const [boxKey, record] of store.scan(rangeOf(TABLE.box))) {
    boxes.push(readBox(numberAt(boxKey, 1), record)[0])
  }
  return boxes
}

/** The newest head on disk, with an empty signature. */
export async function loadHead(
  store: StoreReader,
  box: BoxNumber
): Promise<protocol.SignedHead | undefined> {
  const record = await store.get(key(TABLE.box, box))
  return record === undefined ? undefined : readBox(box, record)[1]
}

/** The record of one entry, without its body. */
export function entryWrite(
  box: BoxNumber,
  number: number,
  append: Append,
  receivedAtMs: number
): Write {
  const value = new FieldWriter(ENTRY_RECORD_BYTES)
    .fixed(append.envelopeId)
    .varint(receivedAtMs)
    .varint(append.envelope.byteLength)
    .finish()
  return { type: 'put', key: key(TABLE.entry, box, number), value }
}

/** At most `limit` entries of a box, numbers from `from` to `to` inclusive. */
export async function loadEntries(
  store: StoreReader,
  box: BoxNumber,
  range: { readonly from: number; readonly to: number; readonly limit: number }
): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = []
  const from = key(TABLE.entry, box, range.from)
  const to = key(TABLE.entry, box, range.to + 1)
  for await (const [entryKey, record] of store.scan({ from, to, limit: range.limit })) {
    const reader = new FieldReader(record)
    entries.push({
      number: numberAt(entryKey, 1 + 8),
      envelopeId: reader.copy(HASH_BYTES),
      receivedAtMs: reader.varint(),
      bytes: reader.varint()
    })
  }
  return entries
}

/** Ids (32 bytes) of the envelopes of all entries on disk, some more than once, in lists of `count`. */
export async function* loadEnvelopeIds(
  store: StoreReader,
  count: number
): AsyncIterable<readonly Uint8Array[]> {
  let ids: Uint8Array[] = []
  for await (const [, record] of store.scan(rangeOf(TABLE.entry))) {
    ids.push(new FieldReader(record).fixed(HASH_BYTES))
    if (ids.length < count) continue
    yield ids
    ids = []
  }
  yield ids
}

/** Where the number is that a device (32 bytes) has acknowledged last. */
export const cursorKey = (box: BoxNumber, device: Uint8Array): Uint8Array =>
  key(TABLE.cursor, box, device)

const envelopeKey = (envelopeId: Uint8Array): Uint8Array => key(TABLE.envelope, envelopeId)

/** The record of a body, with every place that refers to it. */
export function envelopeWrite(append: Append, placements: readonly Placement[]): Write {
  const capacity = append.envelope.byteLength + (placements.length + 1) * PLACEMENT_BYTES
  const record = new FieldWriter(capacity).varint(placements.length)
  for (const { box, number } of placements) record.varint(box).varint(number)
  const value = record.fixed(append.envelope).finish()
  return { type: 'put', key: envelopeKey(append.envelopeId), value }
}

function readEnvelope(record: Uint8Array): { placements: Placement[]; envelope: Uint8Array } {
  const reader = new FieldReader(record)
  const placements: Placement[] = []
  for (let left = reader.varint(); left > 0; left--) {
    placements.push({ box: reader.varint(), number: reader.varint() })
  }
  return { placements, envelope: reader.rest() }
}

/** Where each envelope is, in the order of the ids (32 bytes each); an empty list for one not held. */
export async function loadPlacements(
  store: StoreReader,
  envelopeIds: readonly Uint8Array[]
): Promise<(readonly Placement[])[]> {
  const records = await store.getMany(envelopeIds.map(envelopeKey))
  return records.map((record) => (record === undefined ? [] : readEnvelope(record).placements))
}

/** The bodies, in the order of the ids; undefined for one not held. */
export async function loadEnvelopes(
  store: StoreReader,
  envelopeIds: readonly Uint8Array[]
): Promise<(Uint8Array | undefined)[]> {
  const records = await store.getMany(envelopeIds.map(envelopeKey))
  return records.map((record) => record && readEnvelope(record).envelope)
}
