// Commits that a relay or a member brings: followed only with the sequencer's receipt for this very commit, from a
// member, and never to put out a device that its own account's log names.
import { accountIdOf, deviceIdOf, LABELS, publicKeyOf, relayIdOf, sequencer } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { toString as toText } from 'uint8arrays/to-string'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Incarnation } from '../../src/conversations/incarnations.ts'
import type { DirectGroupsComponents } from '../../src/direct/direct-groups.ts'
import { GroupChanges } from '../../src/direct/group-changes.ts'
import type { GroupSnapshot, LocalDevice, Member } from '../../src/groups/group-crypto.ts'
import { sequenceRequest } from '../../src/groups/receipts.ts'
import { createSymbolicCrypto } from '../../src/groups/symbolic.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'

const bytes = (value: number) => new Uint8Array(32).fill(value)
const relayKeys = primitives.keyPair(bytes(90))
const relay = relayIdOf(relayKeys.publicKey)
const crypto = createSymbolicCrypto({ primitives, seed: bytes(91) })

function deviceOf(account: number, seed: number): LocalDevice {
  const { privateKey, publicKey } = primitives.keyPair(bytes(seed))
  return { account: accountIdOf(bytes(account)), device: deviceIdOf(publicKey), privateKey }
}

const [alice, bob, laptop] = [deviceOf(1, 11), deviceOf(2, 12), deviceOf(2, 13)]
const mallory = deviceOf(3, 14)

/** What the account logs name now. */
let named: readonly Member[]
const certified = ({ device }: Member) => named.some((one) => one.device === device)
const anyone = () => true

/** The changes as bob's first device sees them. */
function changes(): GroupChanges {
  const directory = {
    certified,
    refresh: async () => ({}),
    state: () => ({ homes: [{ relay, addresses: [] }], devices: [] })
  }
  const contacts = { get: () => undefined }
  const parts = { crypto, primitives, device: bob, directory, contacts, homes: [] }
  return new GroupChanges(parts as unknown as DirectGroupsComponents)
}

const incarnationOf = ({ state, view }: GroupSnapshot): Incarnation => ({
  groupId: toText(view.groupId, 'base16'),
  creator: view.creator,
  epoch: view.epoch,
  state
})

function receiptFor(
  commit: Uint8Array,
  {
    of,
    keys = relayKeys,
    epoch = of.view.epoch
  }: { of: GroupSnapshot; keys?: typeof relayKeys; epoch?: number }
): Uint8Array {
  const request = sequenceRequest({ ...incarnationOf(of), epoch }, commit, primitives)
  const receipt = sequencer.Receipt.encode({ ...request, relay: publicKeyOf(relay) })
  const signature = primitives.sign(keys.privateKey, concat([LABELS.receipt, receipt]))
  return sequencer.SignedReceipt.encode({ receipt, signature })
}

let founded: GroupSnapshot
let joined: GroupSnapshot

beforeEach(async () => {
  named = [alice, bob, laptop]
  const pairs = [await crypto.createKeyPackage(bob), await crypto.createKeyPackage(laptop)]
  const created = await crypto.create(alice, bytes(50))
  const added = await crypto.add(
    created.state,
    pairs.map(({ keyPackage }) => keyPackage),
    anyone
  )
  founded = added
  joined = await crypto.join(added.welcome as Uint8Array, pairs[0]?.secret as Uint8Array, anyone)
})

const open = (commit: Uint8Array, receipt: Uint8Array) =>
  changes().openCommit({ commit, receipt }, incarnationOf(joined), joined.view.members)

const removalOf = (member: Member) => crypto.remove(founded.state, [member.device], anyone)

describe('a removal', () => {
  it('of a device that its account no longer names is followed into the same epoch', async () => {
    const made = await removalOf(laptop)
    named = [alice, bob]
    const opened = await open(made.commit, receiptFor(made.commit, { of: founded }))
    if (opened.type !== 'applied') throw new Error(`it was ${opened.type}`)
    expect(opened.group.epoch.authenticator).toEqual(made.view.authenticator)
    expect(opened.group.epoch.members.map(({ device }) => device)).not.toContain(laptop.device)
  })

  it('of a device that its account still names is refused, even from who founded the group', async () => {
    const { commit } = await removalOf(laptop)
    expect(await open(commit, receiptFor(commit, { of: founded }))).toMatchObject({
      type: 'refused',
      reason: 'it removes a device that its account still names'
    })
  })

  it('of this very device is believed only when its account says so', async () => {
    const { commit } = await removalOf(bob)
    const receipt = receiptFor(commit, { of: founded })
    expect(await open(commit, receipt)).toMatchObject({ type: 'refused' })
    named = [alice, laptop]
    expect(await open(commit, receipt)).toEqual({ type: 'removed' })
  })

  it('is undone by adding the device again', async () => {
    const gone = await removalOf(laptop)
    named = [alice, bob]
    const first = await open(gone.commit, receiptFor(gone.commit, { of: founded }))
    if (first.type !== 'applied') throw new Error(`it was ${first.type}`)
    named = [alice, bob, laptop]
    const { keyPackage } = await crypto.createKeyPackage(laptop)
    const back = await crypto.add(gone.state, [keyPackage], anyone)
    const { state, epoch } = first.group
    const incarnation = { ...incarnationOf(joined), state, epoch: epoch.epoch }
    const receipt = receiptFor(back.commit, { of: gone })
    const commit = { commit: back.commit, receipt }
    const opened = await changes().openCommit(commit, incarnation, epoch.members)
    if (opened.type !== 'applied') throw new Error(`it was ${opened.type}`)
    expect(opened.group.epoch.authenticator).toEqual(back.view.authenticator)
    expect(opened.group.epoch.members.map(({ device }) => device)).toContain(laptop.device)
  })
})

describe('a commit is refused', () => {
  beforeEach(() => {
    named = [alice, bob]
  })

  it.each<[string, (commit: Uint8Array) => Uint8Array]>([
    ['without a receipt', () => new Uint8Array(0)],
    ['with a receipt that is garbage', () => bytes(7)],
    ['with the receipt of another commit', () => receiptFor(bytes(1), { of: founded })],
    ['with a receipt of another epoch', (commit) => receiptFor(commit, { of: founded, epoch: 9 })],
    [
      'with a receipt that somebody else signed',
      (commit) => receiptFor(commit, { of: founded, keys: primitives.keyPair(bytes(92)) })
    ]
  ])('%s', async (_, receipt) => {
    const { commit } = await removalOf(laptop)
    expect(await open(commit, receipt(commit))).toMatchObject({ type: 'refused' })
  })

  it('from somebody who is no member, though its relay gave it a receipt', async () => {
    named = [alice, bob, mallory]
    const own = await crypto.create(mallory, bytes(50))
    const { keyPackage } = await crypto.createKeyPackage(deviceOf(3, 15))
    const made = await crypto.add(own.state, [keyPackage], anyone)
    expect(await open(made.commit, receiptFor(made.commit, { of: founded }))).toMatchObject({
      type: 'refused'
    })
  })

  it('that adds a device of a third account', async () => {
    named = [alice, bob, laptop, mallory]
    const { keyPackage } = await crypto.createKeyPackage(mallory)
    const made = await crypto.add(founded.state, [keyPackage], anyone)
    expect(await open(made.commit, receiptFor(made.commit, { of: founded }))).toMatchObject({
      type: 'refused',
      reason: 'a direct chat has exactly two accounts'
    })
  })

  it('that adds a ghost device of a member, which its account does not name', async () => {
    const { keyPackage } = await crypto.createKeyPackage(deviceOf(1, 16))
    const made = await crypto.add(founded.state, [keyPackage], anyone)
    expect(await open(made.commit, receiptFor(made.commit, { of: founded }))).toMatchObject({
      type: 'refused'
    })
  })
})
