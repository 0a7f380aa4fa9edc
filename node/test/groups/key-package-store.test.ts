// Key packages that this device hands out itself.
import { expect, it } from 'vitest'
import { HANDED_OUT_MAX, KeyPackageStore } from '../../src/groups/key-package-store.ts'
import { createSymbolicCrypto } from '../../src/groups/symbolic.ts'
import { MemoryDisk, openMemoryStore, sealStore, systemRandom } from '../../src/kernel/index.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

it('keeps private halves for the newest packages handed out, also of calls at once', async () => {
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
  const packages = new KeyPackageStore({
    store,
    rpc: undefined as never,
    crypto,
    primitives,
    device
  })
  await Promise.all(Array.from({ length: HANDED_OUT_MAX + 10 }, () => packages.handOut()))
  const found = await Promise.all(
    references.map((reference) => packages.find(reference.subarray(0, 16)))
  )
  expect(found.map((one) => one !== undefined)).toEqual(references.map((_, index) => index >= 10))
})
