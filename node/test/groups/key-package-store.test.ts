// Key packages that this device hands out itself.
import { expect, it } from 'vitest'
import { HANDED_OUT_MAX, KeyPackageStore, USED_MAX } from '../../src/groups/key-package-store.ts'
import { createSymbolicCrypto } from '../../src/groups/symbolic.ts'
import { MemoryDisk, openMemoryStore, sealStore, systemRandom } from '../../src/kernel/index.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

async function keyPackages() {
  const inner = createSymbolicCrypto({ primitives, seed: new Uint8Array(32) })
  const references: Uint8Array[] = []
  const crypto: typeof inner = Object.assign(Object.create(inner), {
    async createKeyPackage(...given: Parameters<typeof inner.createKeyPackage>) {
      const made = await inner.createKeyPackage(...given)
      references.push(made.reference)
      return made
    }
  })
  const store = await sealStore(openMemoryStore(new MemoryDisk()), {
    key: new Uint8Array(32),
    primitives,
    random: systemRandom
  })
  const device = createDevice('alice', 'laptop', primitives)
  const components = { store, rpc: undefined as never, crypto, primitives, device }
  return { store, references, packages: new KeyPackageStore(components), components }
}

const tagOf = (reference: Uint8Array): Uint8Array => reference.subarray(0, 16)

it('keeps private halves for the newest packages handed out, also of calls at once', async () => {
  const { packages, references } = await keyPackages()
  await Promise.all(Array.from({ length: HANDED_OUT_MAX + 10 }, () => packages.handOut()))
  const found = await Promise.all(references.map((reference) => packages.find(tagOf(reference))))
  expect(found.map((one) => one !== undefined)).toEqual(references.map((_, index) => index >= 10))
})

it('keeps the newest used private halves, also over a restart, and takes each out of use once', async () => {
  const { store, packages, references, components } = await keyPackages()
  let current = packages
  for (let index = 0; index < USED_MAX + 10; index += 1) {
    await current.handOut()
    const held = await current.find(tagOf(references[index] as Uint8Array))
    expect(held?.consume.length).toBeGreaterThan(0)
    await store.commit(held?.consume ?? [])
    if (index === 100) current = new KeyPackageStore(components)
  }
  const found = await Promise.all(references.map((reference) => current.find(tagOf(reference))))
  expect(found.map((one) => one !== undefined)).toEqual(references.map((_, index) => index >= 10))
  expect(found.at(-1)?.consume).toEqual([])
})
