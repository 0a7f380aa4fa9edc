// The account logs a device has verified, asked for from several places at once.
import { deviceIdOf, type identity, ProtocolError } from '@kith/protocols'
import { describe, expect, it } from 'vitest'
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

describe('what one home has not heard yet', () => {
  const device = primitives.keyPair(bytes(1))
  const homes = [2, 3].map((seed) => deviceIdOf(primitives.keyPair(bytes(seed)).publicKey))
  const { account, operation } = createAccountOperation(
    {
      nonce: bytes(4),
      device,
      recoveryKey: primitives.keyPair(bytes(5)).publicKey,
      homes: homes.map((relay) => ({ relay: relay as never, addresses: ['/ip4/127.0.0.1/tcp/1'] })),
      createdAtMs: 1
    },
    primitives
  )
  const peers = homes.map((id) => ({ id, addresses: [] }))

  /** A directory that knows the log, and homes that answer with nothing new, or not at all. */
  async function open(asked: string[], down: readonly number[] = []) {
    const store = await sealStore(openMemoryStore(), { key: bytes(6), primitives, random })
    const request = async ({ id }: { id: string }): Promise<identity.FetchLogResponse> => {
      asked.push(id)
      if (down.some((index) => homes[index] === id)) throw new ProtocolError('unreachable', 'down')
      return { operations: [], length: 1 }
    }
    const directory = new Directory({ store, rpc: { request } as unknown as Rpc, primitives })
    await directory.learn(account, [operation])
    return directory
  }

  it('is asked of the others, until one knows', async () => {
    const asked: string[] = []
    const directory = await open(asked)
    await directory.refreshUntil(account, peers, () => asked.length === 1)
    expect(asked).toEqual([homes[0]])
    await directory.refreshUntil(account, peers, () => false)
    expect(asked).toEqual([homes[0], ...homes])
  })

  it('is not judged while a home that may know cannot be asked', async () => {
    const unreachable = { code: 'unreachable' }
    const first = (await open([], [0])).refreshUntil(account, peers, () => false)
    await expect(first).rejects.toMatchObject(unreachable)
    const second = (await open([], [1])).refreshUntil(account, peers, () => false)
    await expect(second).rejects.toMatchObject(unreachable)
    await (await open([], [0])).refreshUntil(account, peers, () => true)
  })

  it('is judged when only others than homes cannot be asked', async () => {
    const stranger = deviceIdOf(primitives.keyPair(bytes(7)).publicKey)
    const asked: string[] = []
    const directory = await open(asked)
    await directory.refreshUntil(account, [...peers, { id: stranger, addresses: [] }], () => false)
    expect(asked).toEqual([...homes, stranger])
  })
})
