// The account logs a device has verified, asked for from several places at once.
import { deviceIdOf, type identity } from '@kith/protocols'
import { expect, it } from 'vitest'
import { Directory } from '../../src/contacts/directory.ts'
import { createAccountOperation } from '../../src/identity/account.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import type { Rpc } from '../../src/kernel/rpc.ts'
import { openMemoryStore } from '../../src/kernel/store/memory.ts'
import { sealStore } from '../../src/kernel/store/sealed.ts'

const bytes = (value: number) => new Uint8Array(32).fill(value)
const random = { bytes: (length: number) => new Uint8Array(length).fill(9), fraction: () => 0.5 }

it('takes one log from two answers at once, for whoever asked', async () => {
  const device = primitives.keyPair(bytes(1))
  const relay = deviceIdOf(primitives.keyPair(bytes(2)).publicKey)
  const { account, operation } = createAccountOperation(
    {
      nonce: bytes(3),
      device,
      recoveryKey: primitives.keyPair(bytes(4)).publicKey,
      homes: [{ relay: relay as never, addresses: ['/ip4/127.0.0.1/tcp/1'] }],
      createdAtMs: 1
    },
    primitives
  )
  const answers: (() => void)[] = []
  const request = () =>
    new Promise<identity.FetchLogResponse>((resolve) => {
      answers.push(() => resolve({ operations: [operation], length: 1 }))
    })
  const store = await sealStore(openMemoryStore(), { key: bytes(5), primitives, random })
  const directory = new Directory({ store, rpc: { request } as unknown as Rpc, primitives })
  const peers = [{ id: relay, addresses: [] }]
  const refreshed = [directory.refresh(account, peers), directory.refresh(account, peers)]
  while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve))
  for (const answer of answers) answer()
  for (const state of await Promise.all(refreshed)) expect(state.account).toBe(account)
})
