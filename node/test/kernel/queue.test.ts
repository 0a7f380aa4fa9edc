// The bounded queue: order, limits, endings.
import { describe, expect, it } from 'vitest'
import { BoundedQueue } from '../../src/kernel/index.ts'

async function drain<T>(queue: BoundedQueue<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of queue) items.push(item)
  return items
}

describe('a bounded queue', () => {
  it('hands items out in order, also those pushed while somebody waits', async () => {
    const queue = new BoundedQueue<number>({ itemsMax: 10, overflow: 'refuse' })
    queue.push(1)
    const drained = drain(queue)
    await Promise.resolve()
    queue.push(2)
    queue.push(3)
    queue.close()
    expect(await drained).toEqual([1, 2, 3])
  })

  it('refuses what does not fit', async () => {
    const queue = new BoundedQueue<number>({ itemsMax: 2, overflow: 'refuse' })
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false])
    expect(queue.size).toBe(2)
    queue.close()
    expect(queue.push(4)).toBe(false)
    expect(await drain(queue)).toEqual([1, 2])
  })

  it('makes room by dropping the oldest when told to', async () => {
    const queue = new BoundedQueue<number>({ itemsMax: 2, overflow: 'drop-oldest' })
    for (const item of [1, 2, 3, 4]) expect(queue.push(item)).toBe(true)
    queue.close()
    expect(await drain(queue)).toEqual([3, 4])
  })

  it('throws its error behind the items, and only the first', async () => {
    const queue = new BoundedQueue<number>({ itemsMax: 2, overflow: 'refuse' })
    queue.push(1)
    queue.close(new Error('first'))
    queue.close(new Error('second'))
    const items: number[] = []
    await expect(
      (async () => {
        for await (const item of queue) items.push(item)
      })()
    ).rejects.toThrow('first')
    expect(items).toEqual([1])
  })
})
