// Random appends, repeats, held syncs, crashes and restarts against what a box promises: an answered append is in
// every one of its boxes under its number, whatever happens afterwards.
import { MemoryDisk } from '@kith/node/kernel'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Destination } from '../../src/box/box.ts'
import {
  appendOf,
  type Bench,
  benchWith,
  envelopeOf,
  expectSound,
  openBench,
  turns
} from './bench.ts'

const BOXES = 3
const ENVELOPES = 12

type Action =
  | { readonly type: 'append'; readonly envelope: number; readonly to: readonly Destination[] }
  | { readonly type: 'hold' | 'release' | 'settle' | 'crash' | 'restart' }
  | { readonly type: 'acknowledge'; readonly box: number }

const box = fc.integer({ min: 1, max: BOXES })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      envelope: fc.integer({ min: 0, max: ENVELOPES - 1 }),
      to: fc.uniqueArray(fc.record({ box, trusted: fc.boolean() }), {
        minLength: 1,
        maxLength: BOXES,
        selector: (destination) => destination.box
      })
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('hold', 'release', 'settle', 'crash', 'restart')
    })
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('acknowledge' as const), box }) }
)

interface Answered {
  readonly envelopeId: string
  readonly to: readonly Destination[]
  readonly number: number
}

class World {
  readonly #disk = new MemoryDisk()
  #bench: Bench
  readonly #answered: Answered[] = []

  private constructor(disk: MemoryDisk, bench: Bench) {
    this.#disk = disk
    this.#bench = bench
  }

  static async open(): Promise<World> {
    const disk = new MemoryDisk()
    return new World(disk, await benchWith(BOXES, disk))
  }

  async apply(next: Action): Promise<void> {
    switch (next.type) {
      case 'append':
        return this.#append(next.envelope, next.to)
      case 'acknowledge':
        return this.#bench.boxes.acknowledge(next.box, 1_000)
      case 'hold':
        return this.#disk.hold()
      case 'release':
        return this.#disk.release()
      case 'settle':
        return turns(30)
      case 'crash':
        this.#disk.crash()
        this.#bench = await openBench(this.#disk)
        return
      case 'restart':
        this.#disk.release()
        await this.#bench.store.close()
        this.#bench = await openBench(this.#disk)
        return
    }
  }

  #append(envelope: number, to: readonly Destination[]): void {
    const own = { box: to[0]?.box ?? 1, trusted: true }
    const append = appendOf(envelopeOf(envelope), own, ...to.slice(1))
    this.#bench.boxes.append(append).then(
      (number) => {
        // What crashed meanwhile cannot answer any more: this is an answer of a store that lives.
        this.#answered.push({ envelopeId: append.id, to: append.destinations, number })
      },
      (error: { code: string }) => expect(['quota', 'unavailable']).toContain(error.code)
    )
  }

  async check(): Promise<void> {
    this.#disk.release()
    await turns(200)
    await this.#bench.boxes.stop()
    this.#disk.crash()
    this.#bench = await openBench(this.#disk)
    const numbers = new Map<string, number>()
    for (let number = 1; number <= BOXES; number++) {
      expect(this.#bench.boxes.has(number)).toBe(true)
      for (const entry of await expectSound(this.#bench, number)) {
        const name = `${number} ${String.fromCharCode(...entry.envelopeId)}`
        expect(numbers.has(name)).toBe(false)
        numbers.set(name, entry.number)
      }
    }
    for (const { envelopeId, to, number } of this.#answered) {
      for (const [index, destination] of to.entries()) {
        const found = numbers.get(`${destination.box} ${envelopeId}`)
        expect(found).toBeDefined()
        if (index === 0) expect(found).toBe(number)
      }
    }
  }
}

it('an answered append is in every one of its boxes under its number, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const world = await World.open()
      for (const next of actions) await world.apply(next)
      await world.check()
    }),
    { numRuns: 150 }
  )
})
