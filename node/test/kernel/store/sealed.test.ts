// What sealing adds: values bound to their keys, a key that must be the right one, lookups that tell nothing.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodePrimitives, openLevelStore } from '../../../src/kernel/host/index.ts'
import {
  MemoryDisk,
  openMemoryStore,
  type Store,
  sealStore,
  silentLog,
  storeKey,
  systemRandom
} from '../../../src/kernel/index.ts'
import { temporaryFolder } from './image.ts'

const seal = (store: Store, byte = 7) =>
  sealStore(store, {
    key: new Uint8Array(32).fill(byte),
    primitives: nodePrimitives,
    random: systemRandom
  })
const text = (value: string) => new TextEncoder().encode(value)
const put = (key: string, value: string) => ({
  type: 'put' as const,
  key: text(key),
  value: text(value)
})

test('another key is refused before anything is read or written', async () => {
  const disk = new MemoryDisk()
  await (await seal(openMemoryStore(disk))).close()
  const operations = disk.operations
  const store = openMemoryStore(disk)
  await expect(seal(store, 8)).rejects.toMatchObject({ code: 'key' })
  expect(disk.operations).toBe(operations)
  await store.close()
  await (await seal(openMemoryStore(disk), 7)).close()
})

test('a store with records but no sentinel is refused', async () => {
  const store = openMemoryStore()
  await store.commit([put('a', 'a record that nobody sealed')])
  await expect(seal(store)).rejects.toMatchObject({ code: 'missing' })
})

test('a sealed value under another key, cut or changed is refused', async () => {
  const inner = openMemoryStore()
  const store = await seal(inner)
  await store.commit([put('a', 'one'), put('b', 'two')])
  const [a, b] = [new Uint8Array([1, 97]), new Uint8Array([1, 98])]
  const sealed = (await inner.get(a)) ?? new Uint8Array()
  for (const value of [sealed, sealed.subarray(0, 20), new Uint8Array(0)]) {
    await inner.commit([{ type: 'put', key: b, value }])
    await expect(store.get(text('b'))).rejects.toMatchObject({ code: 'corrupt' })
  }
  expect(await store.get(text('a'))).toEqual(text('one'))
})

test('the same value is sealed differently each time', async () => {
  const inner = openMemoryStore()
  const store = await seal(inner)
  const read = async () =>
    Buffer.from((await inner.get(new Uint8Array([1, 97]))) ?? []).toString('hex')
  await store.commit([put('a', 'same')])
  const first = await read()
  await store.commit([put('a', 'same')])
  expect(await read()).not.toBe(first)
})

test('no value and no looked-up identifier lies on disk in the clear', async () => {
  const folder = await temporaryFolder()
  const store = await seal(await openLevelStore({ folder, log: silentLog }))
  const key = store.opaqueKey('contact/', text('CANARY-IDENTIFIER'))
  await store.commit([{ type: 'put', key, value: text('CANARY-VALUE') }])
  expect(await store.get(key)).toEqual(text('CANARY-VALUE'))
  await store.close()
  // Opening again moves the log into a table: both forms are looked at.
  for (const _form of ['log', 'table']) {
    let bytes = 0
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const content = await readFile(join(entry.parentPath, entry.name), 'latin1')
      bytes += content.length
      expect(content).not.toContain('CANARY')
    }
    expect(bytes).toBeGreaterThan(200)
    await (await openLevelStore({ folder, log: silentLog })).close()
  }
  await rm(folder, { recursive: true })
})

test('an opaque key depends on store key, prefix and identifier, and keeps its prefix', async () => {
  const store = await seal(openMemoryStore())
  const other = await seal(openMemoryStore(), 8)
  const key = store.opaqueKey('c/', text('alice'))
  expect(key.subarray(0, 2)).toEqual(storeKey('c/'))
  expect(key).toHaveLength(2 + 16)
  expect(store.opaqueKey('c/', text('alice'))).toEqual(key)
  const others = [
    other.opaqueKey('c/', text('alice')),
    store.opaqueKey('c/', text('bob')),
    store.opaqueKey('c', text('/alice')),
    store.opaqueKey('d/', text('alice'))
  ]
  const tails = others.map((bytes) => Buffer.from(bytes.subarray(-16)).toString('hex'))
  expect(new Set([...tails, Buffer.from(key.subarray(-16)).toString('hex')]).size).toBe(5)
})
