// A relay that keeps something from one device of an account, or shows two of them different logs: they find out when
// they meet, both are told in words, and what convicts the relay is kept.
import { nodePrimitives as primitives } from '@kith/node/kernel/host'
import { box, idBytes } from '@kith/protocols'
import { afterEach, describe, expect, it } from 'vitest'
import { fourDevices } from '../talk/four.ts'
import type { Person, Tamper } from '../talk/person.ts'
import type { World } from '../talk/world.ts'
import { noticesOf } from './relay-lies.ts'

let world: World
afterEach(() => world.end())

async function begin(seed: number) {
  const four = await fourDevices(seed, { direct: true })
  world = four.world
  let log: Log | undefined
  four.phone.tamper = (item) => {
    log = item.head?.head ?? log
    return [item]
  }
  await four.bob.send('alice', 'to know where the log is')
  await world.run(70_000)
  if (log === undefined) throw new Error('no head was shown')
  return { ...four, log: log as Log }
}

async function requireSame(one: Person, other: Person): Promise<void> {
  expect(await one.texts('bob')).toEqual(await other.texts('bob'))
}

const KEPT_BACK = 'it does not show here what it showed to another of your devices'
const ANOTHER_LOG = 'another log to another of your devices'

const isAccused = (person: Person, words: string): boolean =>
  noticesOf(person).some((text) => text.includes(words))

describe('two devices of one account', () => {
  it('that are shown the same accuse nobody, whatever happens to the relay and to them', async () => {
    const { phone, laptop, bob, tablet } = await begin(1)
    for (let round = 0; round < 4; round += 1) {
      await bob.send('alice', `round ${round}`)
      await laptop.send('bob', `answer ${round}`)
      await world.run(30_000)
      if (round === 0) await world.crashRelay().then(() => world.startRelay())
      if (round === 1) await laptop.crash().then(() => laptop.start())
      if (round === 2) {
        world.cut(tablet)
        await world.run(70_000)
        world.heal(tablet)
      }
      await world.run(70_000)
    }
    for (const person of [phone, laptop, bob, tablet]) expect(noticesOf(person)).toEqual([])
    await requireSame(phone, laptop)
  })

  it('see that one of them is kept from the end of the log', async () => {
    const { phone, laptop, bob } = await begin(2)
    world.cut(bob, laptop)
    laptop.tamper = () => []
    await bob.send('alice', 'for both of you')
    await world.run(60_000)
    expect(await phone.texts('bob')).toContain('for both of you')
    expect(await laptop.texts('bob')).not.toContain('for both of you')
    await world.run(180_000)
    expect(isAccused(laptop, KEPT_BACK)).toBe(true)
    expect(isAccused(phone, 'contradicted')).toBe(false)
    laptop.tamper = undefined
    world.heal(bob, laptop)
    await world.run(200_000)
    expect(await laptop.texts('bob')).toContain('for both of you')
  })

  it('hold two heads of one number against a relay that shows two logs, and keep them', async () => {
    const { phone, laptop, bob, log } = await begin(3)
    world.cut(bob, laptop)
    laptop.tamper = anotherLog(world, laptop, log)
    await bob.send('alice', 'one log')
    await world.run(200_000)
    const evidence = await Promise.all([phone, laptop].map(({ api }) => api.listEvidence()))
    expect(evidence.flat().map(({ kind }) => kind)).toContain('heads')
    expect(evidence.flat().every(({ relay }) => relay === world.relayId)).toBe(true)
    expect(isAccused(laptop, ANOTHER_LOG) || isAccused(phone, ANOTHER_LOG)).toBe(true)
    laptop.tamper = undefined
    world.heal(bob, laptop)
    await world.run(400_000)
    expect(await laptop.texts('bob')).toContain('one log')
    await requireSame(phone, laptop)
  })
})

type Log = Pick<box.BoxHead, 'number' | 'chain'>

/** The relay's items with other entries from here on, under heads that it signs all the same. */
function anotherLog({ relayKeys }: World, { account }: Person, since: Log): Tamper {
  const { sha256 } = primitives
  let log = since
  return (item) => {
    const entries = item.entries.map((entry) => {
      const envelopeId = sha256(entry.envelopeId)
      const { number } = entry
      log = { number, chain: box.chainNext(log.chain, number, envelopeId, sha256) }
      return { ...entry, envelopeId, envelope: new Uint8Array(0) }
    })
    const real = item.head?.commit?.commit
    if (real === undefined) return [item]
    const head = { box: idBytes(account), ...log }
    const root = box.merkleRoot([box.boxHeadLeaf(head)], sha256)
    const commit = box.Commit.encode({ ...box.Commit.decode(real), leafCount: 1, root })
    const signature = primitives.sign(relayKeys.privateKey, box.commitToSign(commit))
    const signed = { head, commit: { commit, signature }, leafIndex: 0, path: [] }
    return [{ ...item, entries, head: signed }]
  }
}
