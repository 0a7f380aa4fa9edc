// The symbolic twin through the suite that every GroupCrypto passes, and what only a twin promises.
import { describe, expect, test } from 'vitest'
import { createSymbolicCrypto } from '../../src/groups/symbolic.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'
import { groupCryptoCases } from '../../src/testing/suites/group-crypto.ts'

const seed = new Uint8Array(32).fill(1)
const create = () => createSymbolicCrypto({ primitives, seed })
const alice = createDevice('alice', 'laptop', primitives)
const bob = createDevice('bob', 'laptop', primitives)
const groupId = new Uint8Array(32).fill(2)
const certified = () => true

describe('symbolic group keys', () => {
  for (const { name, run } of groupCryptoCases) {
    test(name, () => run({ crypto: create(), primitives }))
  }

  test('are the same in every run of one seed', async () => {
    const run = async () => {
      const crypto = create()
      const group = await crypto.create(alice, groupId)
      const { keyPackage } = await crypto.createKeyPackage(bob)
      return await crypto.add(group.state, [keyPackage], certified)
    }
    expect(await run()).toEqual(await run())
  })

  test('are understood by another twin of the seed, and refused by one of another seed', async () => {
    const crypto = create()
    const { keyPackage } = await crypto.createKeyPackage(bob)
    expect(await create().inspectKeyPackage(keyPackage, certified)).toMatchObject({
      device: bob.device
    })
    const other = createSymbolicCrypto({ primitives, seed: new Uint8Array(32) })
    await expect(other.inspectKeyPackage(keyPackage, certified)).rejects.toMatchObject({
      code: 'malformed'
    })
  })

  test('a commit on another branch of the same epoch is refused', async () => {
    const crypto = create()
    const { state } = await crypto.create(alice, groupId)
    const pair = await crypto.createKeyPackage(bob)
    const ours = await crypto.add(state, [pair.keyPackage], certified)
    const theirs = await crypto.add(state, [pair.keyPackage], certified)
    const joined = await crypto.join(ours.welcome as Uint8Array, pair.secret, certified)
    const carol = await crypto.createKeyPackage(createDevice('carol', 'laptop', primitives))
    const next = await crypto.add(theirs.state, [carol.keyPackage], certified)
    await expect(crypto.process(joined.state, next.commit, certified)).rejects.toMatchObject({
      code: 'malformed'
    })
  })
})
