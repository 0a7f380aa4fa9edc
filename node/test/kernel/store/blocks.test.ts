// Ordered runs against a sorted array: any mix of appends in flight, late entries, updates and reopenings.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type BlockEntry,
  MemoryDisk,
  OrderedBlocks,
  openMemoryStore,
  type Store,
  type StoreError,
  storeKey,
  u32
} from '../../../src/kernel/index.ts'

const PREFIX = storeKey('run', u32(7))
const ORDER_KEY_BYTES = 4
const NUMBERS = 4_000

type Model = Map<number, string>

const numbers = fc.oneof(
  fc.array(fc.nat(NUMBERS - 1), { maxLength: 12 }),
  fc.array(fc.nat(NUMBERS - 1), { minLength: 60, maxLength: 150 }),
  fc
    .tuple(fc.nat(NUMBERS - 300), fc.nat(299))
    .map(([from, count]) => Array.from({ length: count }, (_, index) => from + index))
)
const size = fc.oneof({ weight: 20, arbitrary: fc.nat(40) }, fc.constantFrom(3_000, 70_000))
const bound = fc.option(fc.nat(NUMBERS), { nil: undefined })
const command = fc.oneof(
  fc.record({ type: fc.constant('append' as const), numbers, size }),
  fc.record({ type: fc.constant('next' as const), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ type: fc.constant('update' as const), number: fc.nat(NUMBERS - 1) }),
  fc.record({ type: fc.constant('settle' as const) }),
  fc.record({ type: fc.constant('pack' as const) }),
  fc.record({ type: fc.constant('reopen' as const) }),
  fc.record({
    type: fc.constant('read' as const),
    before: bound,
    after: bound,
    limit: fc.integer({ min: 1, max: 200 }),
    reverse: fc.boolean()
  })
)

test('a run reads like a sorted array whatever is appended, updated and reopened', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40, size: '+1' }), async (commands) => {
      const disk = new MemoryDisk()
      let store = openMemoryStore(disk)
      let run = openRun(store)
      const model: Model = new Map()
      let inFlight: Promise<void>[] = []
      let stamp = 0
      // Commits wait until the run is read: everything in between is computed upon writes in flight.
      disk.hold()
      const settle = async () => {
        disk.release()
        await Promise.all(inFlight)
        inFlight = []
      }
      const append = async (list: readonly number[], bytes: number) => {
        const entries = list.map((number) => entry(number, `${number}/${stamp++}`, bytes))
        for (const { number, text } of entries) model.set(number, text)
        inFlight.push(store.commit(await run.append(entries)))
      }
      for (const step of commands) {
        if (step.type === 'append') await append(step.numbers, step.size)
        else if (step.type === 'pack') inFlight.push(store.commit(await run.pack()))
        else if (step.type === 'next') {
          const last = Math.max(-1, ...model.keys())
          for (let index = 1; index <= step.count; index += 1) await append([last + index], 10)
        } else if (step.type === 'update') {
          const { orderKey, value, text } = entry(step.number, `updated ${stamp++}`, 5)
          const writes = await run.update(orderKey, value)
          expect(writes.length > 0).toBe(model.has(step.number))
          if (model.has(step.number)) model.set(step.number, text)
          inFlight.push(store.commit(writes))
        } else {
          await settle()
          if (step.type === 'reopen') {
            await store.close()
            store = openMemoryStore(disk)
            run = openRun(store)
          } else if (step.type === 'read') {
            expect(await readRun(run, step)).toEqual(expected(model, step))
          }
          disk.hold()
        }
      }
      await settle()
      await store.commit(await run.pack())
      const all = { before: undefined, after: undefined, limit: NUMBERS * 2, reverse: false }
      expect(await readRun(run, all)).toEqual(expected(model, all))
      expect(await run.count()).toBe(model.size)
      await checkLayout(store)
      await store.close()
    }),
    { numRuns: Number(process.env.KITH_STORE_RUNS ?? 150) }
  )
})

test('hundreds of appends may be in flight, some of them landing in between', async () => {
  const disk = new MemoryDisk()
  const store = openMemoryStore(disk)
  const run = openRun(store)
  const model: Model = new Map()
  const commits: Promise<void>[] = []
  disk.hold()
  for (let index = 0; index < 900; index += 1) {
    // Mostly in order, every seventh one late.
    const number = index % 7 === 3 ? (index * 37) % Math.max(index, 1) : index * 2
    const { text, ...added } = entry(number, `${number}/${index}`, 0)
    model.set(number, text)
    commits.push(store.commit(await run.append([added])))
    if (run.isPackable) commits.push(store.commit(await run.pack()))
    if (index === 300 || index === 640) {
      disk.release()
      await commits[index - 40]
      disk.hold()
    }
  }
  disk.release()
  await Promise.all(commits)
  const all = { before: undefined, after: undefined, limit: NUMBERS, reverse: false }
  expect(await readRun(run, all)).toEqual(expected(model, all))
  expect(await run.count()).toBe(model.size)
  await checkLayout(store)
})

test('appending one by one touches two records each, and packing them makes a block', async () => {
  const store = openMemoryStore()
  const run = openRun(store)
  for (let index = 0; index < 96; index += 1) {
    expect(run.isPackable).toBe(false)
    const writes = await run.append([entry(index, 'text', 0)])
    expect(writes).toHaveLength(2)
    await store.commit(writes)
  }
  expect(run.isPackable).toBe(true)
  const writes = await run.pack()
  // A block in the place of its first single, 63 singles less, and the marker.
  expect(writes).toHaveLength(65)
  await store.commit(writes)
  expect(await run.pack()).toEqual([])
  await checkLayout(store)
})

test('64 appended entries become one record and a marker, not 64 records', async () => {
  const run = openRun(openMemoryStore())
  const entries = Array.from({ length: 64 }, (_, index) => entry(index, 'text', 0))
  expect(await run.append(entries)).toHaveLength(2)
})

test('an entry into a full block splits it and touches no other block', async () => {
  const store = openMemoryStore()
  const run = openRun(store)
  const even = Array.from({ length: 256 }, (_, index) => entry(index * 2, 'text', 0))
  await store.commit(await run.append(even))
  // Two halves of the one block, and the marker.
  expect(await run.append([entry(129, 'late', 0)])).toHaveLength(3)
})

test('a damaged block fails the append that needs it and leaves the run usable', async () => {
  const store = openMemoryStore()
  const list = Array.from({ length: 128 }, (_, index) => entry(index * 2, 'text', 0))
  await store.commit(await openRun(store).append(list))
  const run = openRun(store)
  const key = new Uint8Array([...PREFIX, 1, ...u32(0)])
  const whole = await store.get(key)
  await store.commit([{ type: 'put', key, value: new Uint8Array([1, 0, 9, 0]) }])
  await expect(run.append([entry(1, 'late', 0)])).rejects.toMatchObject({
    code: 'corrupt' satisfies StoreError['code']
  })
  await store.commit([{ type: 'put', key, value: whole ?? new Uint8Array() }])
  await store.commit(await run.append([entry(1, 'late', 0)]))
  expect(await run.count()).toBe(129)
})

function openRun(store: Store): OrderedBlocks {
  return new OrderedBlocks({ store, prefix: PREFIX, orderKeyBytes: ORDER_KEY_BYTES })
}

function entry(
  number: number,
  text: string,
  bytes: number
): BlockEntry & { number: number; text: string } {
  const padded = text.padEnd(bytes, '.')
  return { number, text: padded, orderKey: u32(number), value: new TextEncoder().encode(padded) }
}

interface Bounds {
  readonly before: number | undefined
  readonly after: number | undefined
  readonly limit: number
  readonly reverse: boolean
}

async function readRun(run: OrderedBlocks, { before, after, limit, reverse }: Bounds) {
  const entries = await run.read({
    ...(before === undefined ? {} : { before: u32(before) }),
    ...(after === undefined ? {} : { after: u32(after) }),
    limit,
    reverse
  })
  return entries.map(({ orderKey, value }) => [
    new DataView(orderKey.buffer, orderKey.byteOffset).getUint32(0),
    new TextDecoder().decode(value)
  ])
}

function expected(model: Model, { before = NUMBERS * 9, after = -1, limit, reverse }: Bounds) {
  const sorted = [...model].sort(([a], [b]) => a - b)
  const inside = sorted.filter(([number]) => number > after && number < before)
  return (reverse ? inside.reverse() : inside).slice(0, limit)
}

/** Blocks within their limits, in order, not overlapping; singles only after the last block. */
async function checkLayout(store: Store): Promise<void> {
  let last = -1
  let singles = 0
  const from = new Uint8Array([...PREFIX, 1])
  for await (const [key, record] of store.scan({ from, to: new Uint8Array([...PREFIX, 2]) })) {
    const first = new DataView(key.buffer, key.byteOffset + from.byteLength).getUint32(0)
    expect(first).toBeGreaterThan(last)
    last = first
    if (record[0] === 0) {
      singles += 1
      continue
    }
    expect(singles).toBe(0)
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    let offset = 3
    for (let index = 0; index < view.getUint16(1); index += 1) {
      const number = view.getUint32(offset)
      expect(index === 0 ? number === first : number > last).toBe(true)
      last = number
      offset += 8 + view.getUint32(offset + 4)
    }
    expect(view.getUint16(1)).toBeLessThanOrEqual(64)
    expect(record.byteLength <= 65_536 || view.getUint16(1) === 1).toBe(true)
  }
  expect(singles).toBeLessThan(96)
}
