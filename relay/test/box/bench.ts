// One relay's boxes over a memory disk, with envelopes made of random bytes: what the box tests stand on.
import {
  type Clock,
  MemoryDisk,
  openMemoryStore,
  type Primitives,
  type Random,
  type Store
} from '@kith/node/kernel'
import { nodePrimitives } from '@kith/node/kernel/host'
import { box as protocol } from '@kith/protocols'
import { expect } from 'vitest'
import type { BoxLimits, Destination } from '../../src/box/box.ts'
import { type Boxes, openBoxes } from '../../src/box/index.ts'
import { loadEntries, loadEnvelopes, type StoredEntry } from '../../src/box/records.ts'
import { mapKey } from '../../src/storage/keys.ts'
import { openMeta } from '../../src/storage/meta.ts'

export const primitives: Primitives = nodePrimitives
export const RELAY = primitives.keyPair(new Uint8Array(32).fill(7))

const random: Random = {
  bytes: (length) => new Uint8Array(length).fill(9),
  fraction: () => 0
}

export const LIMITS: BoxLimits = {
  boxEntriesMax: 1_000,
  boxBytesMax: 1_000_000,
  strangerEntriesMax: 3,
  strangerBytesMax: 500,
  eachStrangerEntriesMax: 3,
  eachStrangerBytesMax: 500
}

/** Time stands still; timers run when told to. */
export function stillClock(): Clock & { runTimers(): void } {
  const timers = new Set<() => void>()
  return {
    now: () => 1_700_000_000_000,
    monotonic: () => 0,
    schedule(_delayMs, callback) {
      timers.add(callback)
      return () => timers.delete(callback)
    },
    runTimers() {
      const due = [...timers]
      timers.clear()
      for (const timer of due) timer()
    }
  }
}

export interface Bench {
  readonly boxes: Boxes
  readonly store: Store
  readonly clock: ReturnType<typeof stillClock>
  readonly failures: unknown[]
}

/** Opens the boxes that are on the disk. */
export async function openBench(disk = new MemoryDisk(), limits = LIMITS): Promise<Bench> {
  const store = openMemoryStore(disk)
  const clock = stillClock()
  const failures: unknown[] = []
  const boxes = await openBoxes(
    {
      store,
      primitives,
      clock,
      limits,
      privateKey: RELAY.privateKey,
      commit: (writes) => store.commit(writes),
      onFailure: (error) => failures.push(error)
    },
    await openMeta(store, random)
  )
  return { boxes, store, clock, failures }
}

/** 32 bytes, the account behind a box number in these tests. */
export const accountOf = (box: number): Uint8Array => new Uint8Array(32).fill(box)

/** The envelope with this number, always the same bytes. */
export function envelopeOf(seed: number, length = 100): Uint8Array {
  return primitives.hkdf(
    new Uint8Array(32),
    new Uint8Array(0),
    Uint8Array.of(seed, seed >> 8),
    length
  )
}

export function appendOf(envelope: Uint8Array, ...destinations: Destination[]) {
  const envelopeId = primitives.sha256(envelope)
  return { device: 'device', id: mapKey(envelopeId), envelopeId, envelope, destinations }
}

export const trusted = (box: number): Destination => ({ box, trusted: true })
export const stranger = (box: number): Destination => ({ box, trusted: false })

/** A bench with boxes 1 to `boxCount` open. */
export async function benchWith(boxCount: number, disk = new MemoryDisk()): Promise<Bench> {
  const bench = await openBench(disk)
  for (let box = 1; box <= boxCount; box++) await bench.boxes.open(box, accountOf(box))
  return bench
}

/** Numbers without a gap, a chain that recomputes, a head that verifies, bodies that hash to their ids. */
export async function expectSound({ boxes, store }: Bench, box: number): Promise<StoredEntry[]> {
  const head = await boxes.head(box)
  const end = head.head?.number ?? 0
  const entries = await loadEntries(store, box, { from: 1, to: end + 1, limit: 10_000 })
  expect(entries.map((entry) => entry.number)).toEqual(Array.from({ length: end }, (_, i) => i + 1))
  let chain = protocol.chainStart(boxes.storeEpoch, accountOf(box), primitives.sha256)
  for (const { number, envelopeId } of entries) {
    chain = protocol.chainNext(chain, number, envelopeId, primitives.sha256)
  }
  expect(head.head?.chain).toEqual(chain)
  const isSigned = protocol.verifySignedHead(head, RELAY.publicKey, boxes.storeEpoch, primitives)
  expect(isSigned).toBe(true)
  const bodies = await loadEnvelopes(
    store,
    entries.map((entry) => entry.envelopeId)
  )
  for (const [index, body] of bodies.entries()) {
    expect(primitives.sha256(body ?? new Uint8Array(0))).toEqual(entries[index]?.envelopeId)
  }
  return entries
}

/** Lets everything that needs no disk happen. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}
