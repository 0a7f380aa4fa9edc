// The filter over envelope ids: it may ask once too often, never once too little.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addId, createIdFilter, mayHold } from '../../src/box/id-filter.ts'
import { envelopeOf, primitives } from './bench.ts'

const idOf = (seed: number): Uint8Array => primitives.sha256(envelopeOf(seed))

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

it('denies nearly every id that was not added', () => {
  const filter = createIdFilter()
  filter.isComplete = true
  for (let seed = 0; seed < 20_000; seed++) addId(filter, idOf(seed))
  const wrong = Array.from({ length: 20_000 }, (_, index) => idOf(30_000 + index)).filter((id) =>
    mayHold(filter, id)
  )
  expect(wrong).toHaveLength(0)
})

it('denies nothing before it knows all that is held', () => {
  const filter = createIdFilter()
  expect(mayHold(filter, idOf(1))).toBe(true)
})
