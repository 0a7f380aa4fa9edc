// Back-off: the ceiling doubles, the wait is any part of it.
import { expect, it } from 'vitest'
import { createBackoff } from '../../src/kernel/index.ts'

it('waits a random part of a ceiling that doubles up to its maximum', () => {
  const fractions = [0, 0.5, 0.999, 0.5, 0.5]
  const random = { fraction: () => fractions.shift() ?? 0.5 }
  const backoff = createBackoff({ firstMs: 100, maxMs: 1_000, random })
  expect([0, 1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([0, 100, 399.6, 400, 500, 500])
})

it('starts over after a success', () => {
  const backoff = createBackoff({ firstMs: 100, maxMs: 10_000, random: { fraction: () => 0.5 } })
  for (let attempt = 0; attempt < 5; attempt += 1) backoff.next()
  backoff.reset()
  expect(backoff.next()).toBe(50)
})
