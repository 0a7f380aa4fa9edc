// Steps that follow one another at once share a batch of the store; others keep their order.
import { describe, expect, it } from 'vitest'
import type { Timelines } from '../../src/conversations/timeline.ts'
import type { Marks } from '../../src/delivery/marks.ts'
import { Transactions } from '../../src/delivery/transactions.ts'
import type { Store, Write } from '../../src/kernel/store/store.ts'

const put = (key: number, value: number): Write => ({
  type: 'put',
  key: new Uint8Array([key]),
  value: new Uint8Array([value])
})

function world({ isPackable = false } = {}) {
  const batches: (readonly Write[])[] = []
  const settle: { done(): void; fail(error: Error): void }[] = []
  const store: Pick<Store, 'commit'> = {
    commit(writes) {
      batches.push(writes)
      return new Promise((resolve, reject) => settle.push({ done: resolve, fail: reject }))
    }
  }
  const timelines: Pick<Timelines, 'append' | 'update' | 'isPackable' | 'pack'> = {
    append: async () => [put(100, 1)],
    update: async () => [put(100, 2)],
    isPackable: () => isPackable,
    pack: async () => [put(100, 3)]
  }
  const transactions = new Transactions({
    store: store as Store,
    timelines: timelines as Timelines,
    marks: {} as Marks,
    events: { enter: () => ({ writes: [], kept: () => {} }) }
  })
  return { batches, settle, transactions }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const message = {} as never

describe('transactions', () => {
  it('brings steps of one turn to the store as one batch, each record as it was last', async () => {
    const { batches, transactions } = world()
    void transactions.commit([put(1, 1), put(2, 1)])
    void transactions.commit([put(1, 2), { type: 'delete', key: new Uint8Array([3]) }])
    await turn()
    expect(batches).toEqual([[put(2, 1), put(1, 2), { type: 'delete', key: new Uint8Array([3]) }]])
  })

  it('resolves no step before its batch is on disk', async () => {
    const { settle, transactions } = world()
    let durable = 0
    for (const value of [1, 2]) {
      void transactions.commit([put(1, value)]).then(() => {
        durable += 1
      })
    }
    await turn()
    expect(durable).toBe(0)
    settle[0]?.done()
    await turn()
    expect(durable).toBe(2)
  })

  it('tells every step of a batch that it failed', async () => {
    const { settle, transactions } = world()
    const ends = Promise.allSettled([
      transactions.commit([put(1, 1)]),
      transactions.commit([put(1, 2)])
    ])
    await turn()
    settle[0]?.fail(new Error('disk'))
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('has a message in a batch before the one that changes it', async () => {
    const { batches, transactions } = world()
    void transactions.commit([{ type: 'timeline', local: 1, message }])
    void transactions.commit([{ type: 'timeline-update', local: 1, message }])
    await turn()
    expect(batches).toEqual([[put(100, 1)], [put(100, 2)]])
  })

  it('packs old messages in a batch of its own, once the one that made them old is on disk', async () => {
    const { batches, settle, transactions } = world({ isPackable: true })
    let isDurable = false
    void transactions.commit([{ type: 'timeline', local: 1, message }]).then(() => {
      isDurable = true
    })
    await turn()
    expect(batches).toEqual([[put(100, 1)]])
    settle[0]?.done()
    await turn()
    expect(isDurable).toBe(true)
    expect(batches).toEqual([[put(100, 1)], [put(100, 3)]])
  })

  it('tells the next step that packing failed, and nobody else', async () => {
    const { settle, transactions } = world({ isPackable: true })
    const first = transactions.commit([{ type: 'timeline', local: 1, message }])
    await turn()
    settle[0]?.done()
    await first
    await turn()
    settle[1]?.fail(new Error('disk'))
    await turn()
    const next = transactions.commit([put(1, 1)])
    await turn()
    settle[2]?.fail(new Error('disk'))
    await expect(next).rejects.toThrow('disk')
  })

  it('begins a batch of its own for what comes in a later turn', async () => {
    const { batches, transactions } = world()
    void transactions.commit([put(1, 1)])
    await turn()
    void transactions.commit([put(1, 2)])
    await turn()
    expect(batches).toEqual([[put(1, 1)], [put(1, 2)]])
  })

  it('begins another batch when one is full', async () => {
    const { batches, transactions } = world()
    const many = Array.from({ length: 100 }, (_, key) => put(key, 1))
    void transactions.commit(many)
    void transactions.commit(many)
    await turn()
    expect(batches.map(({ length }) => length)).toEqual([100, 100])
  })
})
