// MLS through the suite that every GroupCrypto passes, and what only MLS can be asked.
import { describe, test } from 'vitest'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import { nodePrimitives } from '../../src/kernel/primitives.node.ts'
import { groupCryptoCases } from '../../src/testing/suites/group-crypto.ts'

const crypto = await createMlsCrypto({ primitives: nodePrimitives })

describe('MLS group keys', () => {
  for (const { name, run } of groupCryptoCases) {
    test(name, () => run({ crypto, primitives: nodePrimitives }))
  }
})
