// A relay that lies: refused or visible, never a wrong text shown, and the chat goes on once it behaves again.
import type { box } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { requireSameTalk, settle } from './checks.ts'
import type { Person, Tamper } from './person.ts'
import { World } from './world.ts'

type Item = box.SubscribeItem
type Entry = box.Entry

/** Entries of others in bob's box: his own come without a body. */
const LIE_FOR_MS = 20_000

let world: World
afterEach(() => world.end())

const altered = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

/** Changes the entries of items that have several. */
const entriesBy =
  (change: (entries: readonly Entry[]) => readonly Entry[]): Tamper =>
  (item) => [{ ...item, entries: [...change(item.entries)] }]

/** Numbered as if nothing had happened. */
const renumbered = (entries: readonly Entry[], first: number): Entry[] =>
  entries.map((entry, index) => ({ ...entry, number: first + index }))

const first = (entries: readonly Entry[]): number => entries[0]?.number ?? 0

const LIES: readonly (readonly [string, Tamper])[] = [
  ['reorders entries', entriesBy((entries) => renumbered([...entries].reverse(), first(entries)))],
  ['changes places but not numbers', entriesBy((entries) => [...entries].reverse())],
  ['drops an entry', entriesBy((entries) => entries.slice(1))],
  [
    'drops an entry and closes the hole',
    entriesBy((entries) => renumbered(entries.slice(1), first(entries)))
  ],
  ['repeats an entry', entriesBy((entries) => [...entries.slice(0, 1), ...entries])],
  [
    'repeats an entry as another',
    entriesBy((entries) => renumbered([...entries.slice(0, 1), ...entries], first(entries)))
  ],
  [
    'alters a byte of a body',
    entriesBy((entries) =>
      entries.map((entry) => ({ ...entry, envelope: altered(entry.envelope, 90) }))
    )
  ],
  [
    'alters the end of a body',
    entriesBy((entries) =>
      entries.map((entry) => ({
        ...entry,
        envelope: altered(entry.envelope, entry.envelope.byteLength - 3)
      }))
    )
  ],
  [
    'alters an id',
    entriesBy((entries) =>
      entries.map((entry) => ({ ...entry, envelopeId: altered(entry.envelopeId, 5) }))
    )
  ],
  [
    'gives one body for another',
    entriesBy((entries) =>
      entries.map((entry) => ({ ...entry, envelope: entries[0]?.envelope ?? entry.envelope }))
    )
  ],
  [
    'holds bodies back',
    entriesBy((entries) => entries.map((entry) => ({ ...entry, envelope: new Uint8Array(0) })))
  ],
  ['forges the number of the head', (item) => [withHead(item, { number: 1_000 })]],
  ['forges the chain of the head', (item) => [withHead(item, { chain: new Uint8Array(32) })]],
  ['forges the signature', withSignature],
  ['repeats whole items', (item) => [item, item]],
  ['changes its store epoch at every item', (item) => [{ ...item, storeEpoch: randomEpoch() }]],
  ['hides everything', () => []]
]

function withHead(item: Item, change: Partial<box.BoxHead>): Item {
  const head = item.head?.head
  if (item.head === undefined || head === undefined) return item
  return { ...item, head: { ...item.head, head: { ...head, ...change } } }
}

function withSignature(item: Item): readonly Item[] {
  const commit = item.head?.commit
  if (item.head === undefined || commit === undefined) return [item]
  const signature = altered(commit.signature, 3)
  return [{ ...item, head: { ...item.head, commit: { ...commit, signature } } }]
}

const randomEpoch = () => world.random.bytes(16)

describe('a relay that', () => {
  it.each(LIES)('%s', { timeout: 20_000 }, async (_, tamper) => {
    world = await World.of(1, ['alice', 'bob'])
    const [alice, bob] = world.people as [Person, Person]
    await alice.api.addContact({ link: bob.link })
    await bob.api.addContact({ link: alice.link })
    for (let round = 0; round < 3; round += 1) {
      await alice.send('bob', `before ${round}`)
      await bob.send('alice', `before too ${round}`)
      await world.run(1_000)
    }
    bob.tamper = tamper
    // While bob is away, so that an item has several entries to play with; then live, and bob writes as well.
    world.cut(bob)
    for (let round = 0; round < 4; round += 1) await alice.send('bob', `while lying ${round}`)
    await world.run(500)
    world.heal(bob)
    await world.run(LIE_FOR_MS / 2)
    await alice.send('bob', 'still lying')
    await bob.send('alice', 'do you hear me')
    await world.run(LIE_FOR_MS / 2)
    const said = new Set([...alice.sent, ...bob.sent].map(({ text }) => text))
    for (const text of await bob.texts('alice')) expect(said).toContain(text)
    bob.tamper = undefined
    await world.run(130_000)
    await alice.send('bob', 'after')
    await bob.send('alice', 'after too')
    await settle(world, alice, bob)
    await requireSameTalk(world, alice, bob)
  })
})
