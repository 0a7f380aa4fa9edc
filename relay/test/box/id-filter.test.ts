// The filter over envelope ids: it may ask once too often, never once too little.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addId, createIdFilter, mayHold } from '../../src/box/id-filter.ts'
import { primitives } from './bench.ts'

const idOf = (seed: number): Uint8Array =>
  primitives.sha256(new Uint8Array(Uint32Array.of(seed).buffer))

it('never denies an id that was added', () => {
  const filter = createIdFilter()
  filter.isComplete = true
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(id, (added) => {
      addId(filter, added)
      expect(mayHold(filter, added)).toBe(true)
    })
  )
})

it.each([20_000, 200_000])('denies nearly every id that was not added, of %i', (count) => {
  const filter = createIdFilter()
  filter.isComplete = true
  for (let seed = 0; seed < count; seed++) addId(filter, idOf(seed))
  const isHeld = (seed: number) => mayHold(filter, idOf(seed))
  expect(Array.from({ length: count }, (_, seed) => seed).every(isHeld)).toBe(true)
  const others = Array.from({ length: 20_000 }, (_, index) => count + index)
  expect(others.filter(isHeld).length).toBeLessThan(others.length / 100)
})

it('denies nothing before it knows all that is held', () => {
  const filter = createIdFilter()
  expect(mayHold(filter, idOf(1))).toBe(true)
})
