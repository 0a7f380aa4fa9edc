// Which slot of a box wins, and which one goes when there are too many.
import { describe, expect, it } from 'vitest'
import { createSlotTable, putSlot, SLOTS_MAX, STRANGER_SLOTS_MAX } from '../../src/slots/table.ts'

const put = (
  table: ReturnType<typeof createSlotTable>,
  tag: string,
  { version = 1, trusted = true } = {}
) => putSlot(table, { tag, version, trusted })

describe('a slot table', () => {
  it('keeps the highest version', () => {
    const table = createSlotTable([])
    expect(put(table, 'a', { version: 3 })).toBeDefined()
    expect(put(table, 'a', { version: 3 })).toBeUndefined()
    expect(put(table, 'a', { version: 2 })).toBeUndefined()
    expect(put(table, 'a', { version: 4 })?.entry.version).toBe(4)
    expect(table.entries.size).toBe(1)
  })

  it('lets the one go that was changed longest ago', () => {
    const table = createSlotTable([])
    for (let tag = 0; tag < SLOTS_MAX; tag++) put(table, `${tag}`)
    put(table, '0', { version: 2 })
    expect(put(table, 'more')?.evicted).toBe('1')
    expect(table.entries.size).toBe(SLOTS_MAX)
  })

  it('lets strangers push out only each other', () => {
    const table = createSlotTable([])
    put(table, 'contact')
    for (let tag = 0; tag < STRANGER_SLOTS_MAX; tag++) put(table, `${tag}`, { trusted: false })
    expect(put(table, 'more', { trusted: false })?.evicted).toBe('0')
    expect(table.entries.has('contact')).toBe(true)
    expect(table.strangers).toBe(STRANGER_SLOTS_MAX)
  })

  it('lets a stranger go before a contact', () => {
    const table = createSlotTable([])
    for (let tag = 0; tag < SLOTS_MAX - 1; tag++) put(table, `${tag}`)
    put(table, 'stranger', { trusted: false })
    expect(put(table, 'more')?.evicted).toBe('stranger')
    expect(put(table, 'still more')?.evicted).toBe('0')
  })

  it("takes a slot for a contact's once a contact has changed it", () => {
    const table = createSlotTable([])
    put(table, 'a', { trusted: false })
    put(table, 'a', { version: 2 })
    put(table, 'a', { version: 3, trusted: false })
    expect(table.strangers).toBe(0)
    expect(table.entries.get('a')?.isStranger).toBe(false)
  })

  it('is the same when it is read back in any order', () => {
    const table = createSlotTable([])
    for (const tag of ['a', 'b', 'c']) put(table, tag, { trusted: tag !== 'b' })
    put(table, 'a', { version: 2 })
    const again = createSlotTable([...table.entries.values()].reverse())
    expect([...again.entries]).toEqual([...table.entries])
    expect(again).toMatchObject({ strangers: 1, lastOrder: 4 })
  })
})
