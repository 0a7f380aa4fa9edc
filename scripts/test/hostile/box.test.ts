// A relay that lies about what is in the boxes, on either side, with the direct path or without: nothing false is
// shown, nobody else reads anything, nothing is lost for good, and both are told where it can be seen.
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import type { box, envelope } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import type { Tamper } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import {
  altered,
  contacts,
  envelopeWith,
  noticesOf,
  requireHealed,
  talking,
  withEntries
} from './relay-lies.ts'

type Field = Exclude<keyof envelope.Envelope, 'version'>

let world: World
afterEach(() => world.end())

/** Whether the relay makes up an id that fits what it altered. */
type Made = 'with its old id' | 'with an id that fits'

const FIELDS: readonly Field[] = ['epochTag', 'salt', 'commitment', 'sealedHeader', 'sealedContent']

describe.each<Made>(['with its old id', 'with an id that fits'])('an envelope %s', (made) => {
  it.each(FIELDS)('whose %s was altered is never shown', async (field) => {
    const { alice, bob } = await begin(1)
    const change = (bytes: Uint8Array): Uint8Array =>
      envelopeWith(bytes, (decoded) => ({ [field]: altered(decoded[field], 7) }))
    bob.tamper = (item) => [
      withEntries(item, (entry) => {
        if (entry.envelope.byteLength === 0) return entry
        const fake = change(entry.envelope)
        const envelopeId = made === 'with its old id' ? entry.envelopeId : primitives.sha256(fake)
        return { ...entry, envelope: fake, envelopeId }
      })
    ]
    await alice.send('bob', 'altered on the way')
    await world.run(10_000)
    expect(await bob.texts('alice')).not.toContain('altered on the way')
    expect(noticesOf(bob).join('\n')).toContain('A relay contradicted itself')
    await requireHealed(world, alice, bob)
  })
})

async function begin(seed: number, options?: Parameters<typeof talking>[1]) {
  const made = await talking(seed, options)
  world = made.world
  return made
}

const HIDING: readonly (readonly [string, Tamper])[] = [
  ['every entry', (item) => [{ ...item, entries: [], slots: [] }]],
  ['every receipt', (item) => [{ ...item, slots: [] }]],
  ['every item', () => []]
]

describe('a relay that hides', () => {
  it.each(HIDING)('%s holds up nobody who is reached directly', async (_, tamper) => {
    const { alice, bob } = await begin(2, { direct: true })
    alice.tamper = tamper
    bob.tamper = tamper
    await alice.send('bob', 'past the relay')
    await bob.send('alice', 'past it too')
    await world.run(20_000)
    expect(await bob.texts('alice')).toContain('past the relay')
    expect(await alice.texts('bob')).toContain('past it too')
    expect((await alice.messages('bob')).find(({ text }) => text === 'past the relay')?.path).toBe(
      'direct'
    )
    await requireHealed(world, alice, bob)
  })

  it('receipts keeps messages undelivered, and no message from being read', async () => {
    const { alice, bob } = await begin(3)
    alice.tamper = (item) => [{ ...item, slots: [] }]
    await alice.send('bob', 'unanswered')
    await world.run(20_000)
    expect(await bob.texts('alice')).toContain('unanswered')
    expect((await alice.messages('bob')).at(-1)?.state).toBe('accepted')
    await requireHealed(world, alice, bob)
  })

  it('a welcome for good, and shows what follows it, is survived once it shows it', async () => {
    const made = await contacts(4)
    world = made.world
    const { alice, bob } = made
    let hidden: Uint8Array | undefined
    bob.tamper = (item) => [
      withEntries(item, (entry) => {
        if (entry.envelope.byteLength > 0) hidden ??= entry.envelopeId
        const isHidden = hidden !== undefined && Buffer.from(entry.envelopeId).equals(hidden)
        return isHidden ? { ...entry, envelope: new Uint8Array(0) } : entry
      })
    ]
    for (let count = 0; count < 3; count += 1) await alice.send('bob', `first ${count}`)
    await world.run(10_000)
    expect(await bob.texts('alice')).toEqual([])
    expect(noticesOf(bob).join('\n')).toContain('holds back')
    bob.tamper = undefined
    await requireHealed(world, alice, bob)
  })

  it('the welcomes of all devices is seen where the messages were written', async () => {
    const made = await contacts(5)
    world = made.world
    const { alice, bob } = made
    const devices = world.people.filter(({ account }) => account === bob.account)
    for (const device of devices) device.tamper = () => []
    await alice.send('bob', 'is anybody there')
    await world.run(10_000)
    const shown = async () => (await alice.messages('bob')).at(-1)
    expect(await shown()).toMatchObject({
      state: 'accepted',
      reason: 'no device of the contact has opened this chat yet'
    })
    for (const device of devices) device.tamper = undefined
    await requireHealed(world, alice, bob)
    expect(await shown()).toMatchObject({ state: 'delivered', reason: undefined })
  })
})

describe('receipts', () => {
  it.each<[string, (slot: box.Slot, old: box.Slot) => box.Slot]>([
    ['that were altered', (slot) => ({ ...slot, sealed: altered(slot.sealed, 40) })],
    ['of a version that nobody made', (slot) => ({ ...slot, version: slot.version + 1_000 })],
    ['of earlier', (_, old) => old]
  ])('%s make nothing delivered that is not', async (_, change) => {
    const { alice, bob } = await begin(5)
    let old: box.Slot | undefined
    alice.tamper = (item) => [
      {
        ...item,
        slots: item.slots.map((slot) => {
          old ??= slot
          return change(slot, old)
        })
      }
    ]
    const devices = world.people.filter(({ account }) => account === bob.account)
    for (const device of devices) world.cut(device)
    await alice.send('bob', 'not there yet')
    await world.run(10_000)
    expect((await alice.messages('bob')).at(-1)?.state).toBe('accepted')
    for (const device of devices) world.heal(device)
    await world.run(40_000)
    expect(await bob.texts('alice')).toContain('not there yet')
    await requireHealed(world, alice, bob)
  })
})

describe('a relay that serves', () => {
  it('the head of another box is distrusted', async () => {
    const { alice, bob } = await begin(6)
    bob.tamper = (item) => {
      const head = item.head?.head
      if (item.head === undefined || head === undefined) return [item]
      return [{ ...item, head: { ...item.head, head: { ...head, box: altered(head.box, 1) } } }]
    }
    await alice.send('bob', 'with a foreign head')
    await world.run(5_000)
    expect(noticesOf(bob).join('\n')).toContain('its signed head does not match its log')
    await requireHealed(world, alice, bob)
  })

  it('the whole log again under a new store epoch shows nothing twice', async () => {
    const { alice, bob } = await begin(7)
    const all: box.Entry[] = []
    bob.tamper = (item) => {
      all.push(...item.entries)
      return [
        { ...item, storeEpoch: new Uint8Array(16).fill(1), entries: all.map((entry) => entry) }
      ]
    }
    await alice.send('bob', 'once')
    await world.run(10_000)
    await requireHealed(world, alice, bob)
    expect((await bob.texts('alice')).filter((text) => text === 'once')).toHaveLength(1)
  })
})

describe('a relay that refuses or delays everything', () => {
  it.each(['refuses', 'delays'])(
    '%s: nothing is lost, and it is no obstacle to those who meet',
    async (how) => {
      const { alice, bob } = await begin(8, { direct: true })
      for (const person of [alice, bob]) {
        if (how === 'delays') world.freeze(person)
        else world.cut(person)
      }
      await alice.send('bob', 'without you')
      await world.run(90_000)
      expect(await bob.texts('alice')).toContain('without you')
      for (const person of [alice, bob]) world.heal(person)
      await requireHealed(world, alice, bob)
    }
  )
})
