// Dying at a named point: only the one asked for, only at the time asked for, and nowhere unless asked.
import { expect, test } from 'vitest'
import { readFailpoint } from '../../src/kernel/failpoint.node.ts'
import { FAILPOINTS } from '../../src/kernel/failpoint.ts'

test('without a point asked for there is nothing to call', () => {
  const die = () => expect.unreachable()
  expect(readFailpoint(undefined, die)).toBeUndefined()
  expect(readFailpoint('', die)).toBeUndefined()
})

test.each(FAILPOINTS)(
  '%s is died at once, the third time, and no other point is',
  async (point) => {
    let deaths = 0
    const failpoint = readFailpoint(`${point}:3`, () => {
      deaths += 1
    })
    const pass = () => FAILPOINTS.map((name) => failpoint?.(name)).filter(Boolean).length
    expect(pass()).toBe(0)
    expect(pass()).toBe(0)
    expect(deaths).toBe(0)
    expect(pass()).toBe(1)
    await expect.poll(() => deaths).toBe(1)
    expect(pass()).toBe(0)
    expect(deaths).toBe(1)
  }
)

test.each(['nowhere', 'store-batch:0', 'store-batch:x', ':1', 'store-batch:1:1'])(
  '%s names no point and is refused, since nobody would die',
  (text) => {
    expect(() => readFailpoint(text, () => undefined)).toThrow(RangeError)
  }
)
