// What a new device is handed comes out as it went in, and what does not belong together is refused.
import { direct } from '@kith/protocols'
import { beforeEach, describe, expect, test } from 'vitest'
import type { EpochState } from '../../src/conversations/incarnations.ts'
import { loadState } from '../../src/delivery/load.ts'
import { exportConversations } from '../../src/delivery/transfer.ts'
import { readProfile } from '../../src/identity/profile.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { encodeRecord } from '../../src/kernel/record.ts'
import { storeKey, u32 } from '../../src/kernel/store/key.ts'
import { installBundle, packBundle, unpackBundle } from '../../src/linking/bundle.ts'
import { readDeviceNames } from '../../src/linking/device-names.ts'
import { deviceOf, Home, sealedStore } from './home.ts'

const PEER = new Home(2).account
const SECRET = new Uint8Array(32).fill(8)

let home: Home
beforeEach(() => {
  home = new Home()
  home.add(2)
})

const epoch = (number: number): EpochState => ({
  groupId: 'aa',
  epoch: number,
  tag: `${number}`.padStart(32, '0'),
  archiveKey: new Uint8Array(32).fill(number),
  authenticator: new Uint8Array(8).fill(number),
  members: [
    { account: home.account, device: deviceOf(1) },
    { account: PEER, device: deviceOf(7) }
  ]
})

const id = () =>
  direct.directConversationId(home.account, PEER, (...parts) => primitives.sha256(...parts))

async function pack(): Promise<Uint8Array> {
  const { store, directory } = await home.device()
  await store.commit([
    { type: 'put', key: storeKey('contacts/contact', u32(3)), value: new Uint8Array([1, 2, 3]) },
    { type: 'put', key: storeKey('delivery/cursor', u32(1)), value: new Uint8Array([4]) }
  ])
  return await packBundle(
    { store, directory },
    {
      account: home.account,
      name: 'alice',
      deliverySecret: SECRET,
      deviceNames: [[deviceOf(1), 'laptop']],
      known: [home.account],
      conversations: [{ id: id(), peer: PEER, introduced: true, epochs: [epoch(1), epoch(2)] }]
    }
  )
}

const expected = () => ({ account: home.account, device: deviceOf(2), primitives })

describe('a bundle', () => {
  test('makes an empty store that of a device of the account', async () => {
    const bundle = await unpackBundle(await pack(), expected())
    const store = await sealedStore()
    await installBundle({ store, rpc: home.rpc(), primitives }, bundle)
    const profile = await readProfile(store)
    expect(profile).toMatchObject({ account: home.account, name: 'alice', deliverySecret: SECRET })
    expect(profile?.operations).toHaveLength(2)
    expect(await store.get(storeKey('contacts/contact', u32(3)))).toEqual(new Uint8Array([1, 2, 3]))
    expect(await store.get(storeKey('delivery/cursor', u32(1)))).toBeUndefined()
    expect([...(await readDeviceNames(store))]).toEqual([[deviceOf(1), 'laptop']])
  })

  test('gives conversations that can be read at once and wait for their group to be written to', async () => {
    const bundle = await unpackBundle(await pack(), expected())
    const store = await sealedStore()
    await installBundle({ store, rpc: home.rpc(), primitives }, bundle)
    const state = await loadState(
      { store, primitives },
      {
        self: { account: home.account, device: deviceOf(2) },
        profile: { name: 'alice', deliverySecret: SECRET }
      }
    )
    const conversation = state.conversations.get(id())
    expect(conversation).toMatchObject({
      phase: 'joining',
      peer: PEER,
      introduced: true,
      counter: 0,
      incarnations: [],
      epochs: [epoch(1), epoch(2)]
    })
    expect([...state.tags.keys()]).toEqual([epoch(1).tag, epoch(2).tag])
    expect(state.lastConversation).toBe(1)
    expect(exportConversations(state)).toEqual(bundle.conversations)
  })

  test('is refused when it is of another account, or does not name this device', async () => {
    const packed = await pack()
    await expect(unpackBundle(packed, { ...expected(), account: PEER })).rejects.toMatchObject({
      code: 'forbidden'
    })
    await expect(
      unpackBundle(packed, { ...expected(), device: deviceOf(5) })
    ).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('is refused when it is none', async () => {
    for (const packed of [new Uint8Array(0), new Uint8Array(50), (await pack()).slice(0, -9)]) {
      await expect(unpackBundle(packed, expected())).rejects.toMatchObject({ code: 'malformed' })
    }
  })

  test('writes to no record that is not shared between devices', async () => {
    const { state: _, ...bundle } = await unpackBundle(await pack(), expected())
    expect(bundle.records.map(({ prefix }) => prefix)).toEqual(['contacts/contact'])
    const record = { prefix: 'identity/profile', key: new Uint8Array(0), value: new Uint8Array(1) }
    const forged = encodeRecord({ ...bundle, records: [record] })
    const stream = new Blob([new Uint8Array(forged)])
      .stream()
      .pipeThrough(new CompressionStream('gzip'))
    const packed = new Uint8Array(await new Response(stream).arrayBuffer())
    await expect(unpackBundle(packed, expected())).rejects.toMatchObject({ code: 'malformed' })
  })

  test('that would unpack to more than a device can hold is refused', async () => {
    const stream = new Blob([new Uint8Array(65 * 1_024 * 1_024)])
      .stream()
      .pipeThrough(new CompressionStream('gzip'))
    const packed = new Uint8Array(await new Response(stream).arrayBuffer())
    expect(packed.byteLength).toBeLessThan(256 * 1_024)
    await expect(unpackBundle(packed, expected())).rejects.toMatchObject({ code: 'too-large' })
  })
})
