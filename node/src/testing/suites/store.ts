// What every implementation of the store port must do. Run it with vitest's own functions passed in, so that
// this package does not depend on a test runner.
import { compare } from 'uint8arrays/compare'
import { rangeOf, u32 } from '../../kernel/store/key.ts'
import type { Range, Store, StoreErrorCode, Write } from '../../kernel/store/store.ts'

/** The part of vitest that a suite needs. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void
  test(name: string, body: () => Promise<void>): void
  expect(actual: unknown): { toEqual(expected: unknown): void }
}

export interface OpenedForSuite {
  readonly store: Store
  /** Opens the same content again; called after `store.close()`. */
  reopen(): Promise<Store>
  /** Removes what the test left; called after the last store was closed. */
  cleanUp?(): Promise<void>
}

const LARGE_VALUE_BYTES = 1_048_576
const CONCURRENT_COMMITS = 300

/** Declares the tests; `open` gives each its own empty store. */
export function storeSuite(
  runner: SuiteRunner,
  name: string,
  open: () => Promise<OpenedForSuite>
): void {
  const { describe, test, expect } = runner
  const withStore = (sentence: string, body: (opened: Suite) => Promise<void>) =>
    test(sentence, async () => {
      const suite = new Suite(await open())
      try {
        await body(suite)
      } finally {
        await suite.end()
      }
    })
  describe(name, () => {
    withStore('gives back what was put, and undefined for what was not', async ({ store }) => {
      await store.commit([put('a', 'one'), put('b', 'two')])
      expect(text(await store.get(bytes('a')))).toEqual('one')
      expect(await store.get(bytes('c'))).toEqual(undefined)
      const many = await store.getMany([bytes('b'), bytes('c'), bytes('a'), bytes('b')])
      expect(many.map(text)).toEqual(['two', undefined, 'one', 'two'])
      expect(await store.getMany([])).toEqual([])
    })
    withStore('applies the writes of a commit in order, the last for a key wins', async (suite) => {
      await suite.store.commit([put('a', '1'), remove('a'), put('b', '1'), put('b', '2')])
      expect(await list(suite.store, ALL)).toEqual(['b=2'])
      await suite.store.commit([remove('b'), remove('never there'), put('a', '3')])
      expect(await list(suite.store, ALL)).toEqual(['a=3'])
    })
    withStore('keeps empty values, empty keys, long keys and any byte in a key', async (suite) => {
      const keys = [[], [0], [0, 0], [0, 255], [127], [128], [255], [255, 0], [255, 255]]
      const long = new Uint8Array(1_000).fill(254)
      const all = [...keys.map((key) => new Uint8Array(key)), long].sort(compare)
      await suite.store.commit(all.map((key) => ({ type: 'put', key, value: new Uint8Array() })))
      const found: unknown[] = []
      const top = new Uint8Array(1_001).fill(255)
      for await (const entry of suite.store.scan({ from: new Uint8Array(), to: top })) {
        found.push(entry)
      }
      expect(found).toEqual(all.map((key) => [key, new Uint8Array()]))
      for (const key of all) expect(await suite.store.get(key)).toEqual(new Uint8Array())
    })
    withStore('keeps a value of 1 MiB, and after reopening too', async (suite) => {
      const value = new Uint8Array(LARGE_VALUE_BYTES).map((_, index) => (index * 31) % 251)
      await suite.store.commit([{ type: 'put', key: bytes('large'), value }])
      const isSame = async () => {
        const read = await suite.store.get(bytes('large'))
        return read !== undefined && compare(read, value) === 0
      }
      expect(await isSame()).toEqual(true)
      await suite.reopen()
      expect(await isSame()).toEqual(true)
    })
    withStore('scans a range in key order: from is inside, to is not', async ({ store }) => {
      await store.commit([300, 2, 1, 256, 255, 0].map((number) => putNumber(number)))
      expect(await numbers(store, { from: u32(1), to: u32(300) })).toEqual([1, 2, 255, 256])
      expect(await numbers(store, { from: u32(3), to: u32(255) })).toEqual([])
      expect(await numbers(store, { from: u32(2), to: u32(2) })).toEqual([])
      expect(await numbers(store, { from: u32(9), to: u32(2) })).toEqual([])
    })
    withStore('scans backwards and stops at the limit', async ({ store }) => {
      await store.commit(Array.from({ length: 50 }, (_, number) => putNumber(number)))
      const range = { from: u32(10), to: u32(20) }
      expect(await numbers(store, { ...range, limit: 3 })).toEqual([10, 11, 12])
      expect(await numbers(store, { ...range, reverse: true, limit: 3 })).toEqual([19, 18, 17])
      expect(await numbers(store, { ...range, limit: 0 })).toEqual([])
      expect(await numbers(store, { ...range, reverse: true, limit: 99 })).toEqual(
        [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].reverse()
      )
    })
    withStore('scans the keys of a prefix only', async ({ store }) => {
      await store.commit([put('box', '1'), put('box/a', '2'), put('boy', '3'), put('bo', '4')])
      expect(await list(store, rangeOf('box'))).toEqual(['box=1', 'box/a=2'])
    })
    withStore('shows a scan the moment at which it began', async ({ store }) => {
      await store.commit(Array.from({ length: 400 }, (_, number) => putNumber(number)))
      const found: number[] = []
      for await (const [key] of store.scan({ from: u32(0), to: u32(1_000) })) {
        if (found.length === 0)
          await store.commit([putNumber(999), { type: 'delete', key: u32(399) }])
        found.push(new DataView(key.buffer, key.byteOffset).getUint32(0))
      }
      expect(found).toEqual(Array.from({ length: 400 }, (_, number) => number))
      expect(await store.get(u32(399))).toEqual(undefined)
    })
    withStore('leaves a scan early without harm', async ({ store }) => {
      await store.commit([put('a', '1'), put('b', '2'), put('c', '3')])
      for await (const [key] of store.scan(ALL)) if (text(key) === 'b') break
      expect(await list(store, ALL)).toEqual(['a=1', 'b=2', 'c=3'])
    })
    withStore('never shows half of a commit', async ({ store }) => {
      const commits = Array.from({ length: 40 }, (_, round) =>
        store.commit([put('left', `${round}`), put('right', `${round}`)])
      )
      for (let round = 0; round < 20; round += 1) {
        const seen = await list(store, ALL)
        const left = seen.find((line) => line.startsWith('left='))
        expect(seen.find((line) => line.startsWith('right='))).toEqual(
          left?.replace('left', 'right')
        )
      }
      await Promise.all(commits)
      expect(await list(store, ALL)).toEqual(['left=39', 'right=39'])
    })
    withStore('applies concurrent commits in the order of the calls', async (suite) => {
      const settled: number[] = []
      await Promise.all(
        Array.from({ length: CONCURRENT_COMMITS }, async (_, index) => {
          await suite.store.commit([put('last', `${index}`), putNumber(index)])
          settled.push(index)
        })
      )
      expect(settled).toEqual(Array.from({ length: CONCURRENT_COMMITS }, (_, index) => index))
      expect(text(await suite.store.get(bytes('last')))).toEqual(`${CONCURRENT_COMMITS - 1}`)
      await suite.reopen()
      const range = { from: u32(0), to: u32(CONCURRENT_COMMITS) }
      expect((await numbers(suite.store, range)).length).toEqual(CONCURRENT_COMMITS)
    })
    withStore('takes one commit larger than a batch, whole', async ({ store }) => {
      await store.commit(Array.from({ length: 3_000 }, (_, number) => putNumber(number)))
      expect((await numbers(store, { from: u32(0), to: u32(3_000) })).length).toEqual(3_000)
    })
    withStore('resolves an empty commit after the commits before it', async ({ store }) => {
      const order: string[] = []
      const first = store.commit([put('a', '1')]).then(() => order.push('first'))
      const empty = store.commit([]).then(() => order.push('empty'))
      await Promise.all([first, empty])
      expect(order).toEqual(['first', 'empty'])
    })
    withStore('does not see later changes to the bytes of a settled call', async ({ store }) => {
      const [key, value] = [bytes('key'), bytes('value')]
      await store.commit([{ type: 'put', key, value }])
      key.fill(0)
      value.fill(0)
      const read = await store.get(bytes('key'))
      read?.fill(0)
      expect(text(await store.get(bytes('key')))).toEqual('value')
    })
    withStore('has every resolved commit after closing and opening again', async (suite) => {
      await suite.store.commit([put('a', '1'), put('b', '2')])
      await suite.store.commit([remove('a')])
      await suite.reopen()
      expect(await list(suite.store, ALL)).toEqual(['b=2'])
      await suite.store.commit([put('c', '3')])
      await suite.reopen()
      expect(await list(suite.store, ALL)).toEqual(['b=2', 'c=3'])
    })
    withStore(
      'finishes commits under way before it closes, and refuses later ones',
      async (suite) => {
        const under = Array.from({ length: 20 }, (_, index) =>
          suite.store.commit([putNumber(index)])
        )
        const closed = suite.store.close()
        expect(await codeOf(suite.store.commit([put('late', '')]))).toEqual('closed')
        await Promise.all(under)
        await closed
        await suite.reopen()
        expect((await numbers(suite.store, { from: u32(0), to: u32(99) })).length).toEqual(20)
      }
    )
    withStore(
      'answers every call after closing with `closed`; closing twice is fine',
      async (suite) => {
        const { store } = suite
        await store.commit([put('a', '1')])
        await Promise.all([store.close(), store.close()])
        await store.close()
        expect(await codeOf(store.get(bytes('a')))).toEqual('closed')
        expect(await codeOf(store.getMany([bytes('a')]))).toEqual('closed')
        expect(await codeOf(list(store, ALL))).toEqual('closed')
        expect(await codeOf(store.commit([put('a', '2')]))).toEqual('closed')
        expect(await codeOf(store.commit([]))).toEqual('closed')
      }
    )
  })
}

const ALL: Range = { from: new Uint8Array(), to: new Uint8Array([255]) }

class Suite {
  store: Store
  readonly #opened: OpenedForSuite

  constructor(opened: OpenedForSuite) {
    this.#opened = opened
    this.store = opened.store
  }

  async reopen(): Promise<void> {
    await this.store.close()
    this.store = await this.#opened.reopen()
  }

  async end(): Promise<void> {
    await this.store.close()
    await this.#opened.cleanUp?.()
  }
}

function put(key: string, value: string): Write {
  return { type: 'put', key: bytes(key), value: bytes(value) }
}

function putNumber(number: number): Write {
  return { type: 'put', key: u32(number), value: bytes('a value') }
}

function remove(key: string): Write {
  return { type: 'delete', key: bytes(key) }
}

async function list(store: Store, range: Range): Promise<string[]> {
  const lines: string[] = []
  for await (const [key, value] of store.scan(range)) lines.push(`${text(key)}=${text(value)}`)
  return lines
}

async function numbers(store: Store, range: Range): Promise<number[]> {
  const found: number[] = []
  for await (const [key] of store.scan(range)) {
    found.push(new DataView(key.buffer, key.byteOffset).getUint32(0))
  }
  return found
}

async function codeOf(call: Promise<unknown>): Promise<StoreErrorCode | 'none' | undefined> {
  try {
    await call
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? (error.code as StoreErrorCode) : undefined
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value)
}
