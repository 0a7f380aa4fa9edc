// The one suite over each implementation of the store port.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodePrimitives, openLevelStore } from '../../../src/kernel/host/index.ts'
import {
  MemoryDisk,
  openMemoryStore,
  type Store,
  sealStore,
  silentLog,
  systemRandom
} from '../../../src/kernel/index.ts'
import { type OpenedForSuite, storeSuite } from '../../../src/testing/suites/store.ts'

const runner = { describe, test, expect }
const seal = (store: Store) =>
  sealStore(store, {
    key: new Uint8Array(32).fill(7),
    primitives: nodePrimitives,
    random: systemRandom
  })

storeSuite(runner, 'the store in memory', openMemory)
storeSuite(runner, 'the store on LevelDB', openLevel)
storeSuite(runner, 'the sealed store in memory', () => sealed(openMemory))
storeSuite(runner, 'the sealed store on LevelDB', () => sealed(openLevel))

async function openMemory(): Promise<OpenedForSuite> {
  const disk = new MemoryDisk()
  return { store: openMemoryStore(disk), reopen: async () => openMemoryStore(disk) }
}

async function openLevel(): Promise<OpenedForSuite> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-store-'))
  const reopen = () => openLevelStore({ folder, log: silentLog })
  return { store: await reopen(), reopen, cleanUp: () => rm(folder, { recursive: true }) }
}

async function sealed(open: () => Promise<OpenedForSuite>): Promise<OpenedForSuite> {
  const opened = await open()
  return {
    ...opened,
    store: await seal(opened.store),
    reopen: async () => seal(await opened.reopen())
  }
}
