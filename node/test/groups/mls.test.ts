// MLS through the suite that every GroupCrypto passes, and what only MLS can be asked.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import { nodePrimitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'
import { groupCryptoCases } from '../../src/testing/suites/group-crypto.ts'

const crypto = await createMlsCrypto({ primitives: nodePrimitives })

describe('MLS group keys', () => {
  for (const { name, run } of groupCryptoCases) {
    test(name, () => run({ crypto, primitives: nodePrimitives }))
  }
})

describe('devices whose clocks are twenty years apart', () => {
  afterEach(() => void vi.useRealTimers())

  test.each([
    [2016, 2036],
    [2036, 2016]
  ])('(%i and %i) add each other and follow each other’s changes', async (early, late) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const at = (year: number) => vi.setSystemTime(new Date(year, 1, 1))
    const alice = createDevice('alice', 'phone', nodePrimitives)
    const bob = createDevice('bob', 'phone', nodePrimitives)
    const tablet = createDevice('bob', 'tablet', nodePrimitives)
    const all = () => true
    at(early)
    const forBob = await crypto.createKeyPackage(bob)
    const forTablet = await crypto.createKeyPackage(tablet)
    at(late)
    await crypto.inspectKeyPackage(forBob.keyPackage, all)
    const founded = await crypto.create(alice, new Uint8Array(32).fill(7))
    const added = await crypto.add(founded.state, [forBob.keyPackage], all)
    at(early)
    const joined = await crypto.join(added.welcome ?? new Uint8Array(0), forBob.secret, all)
    const changed = await crypto.add(joined.state, [forTablet.keyPackage], all)
    at(late)
    const followed = await crypto.process(added.state, changed.commit, all)
    expect(followed.view.archiveKey).toEqual(changed.view.archiveKey)
  })
})
