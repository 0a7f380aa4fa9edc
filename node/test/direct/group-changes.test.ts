// Commits that a relay or a member brings: followed only with the sequencer's receipt for this very commit, from a
// member, and never to put out a device that its own account's log names.
import {
  accountIdOf,
  deviceIdOf,
  LABELS,
  messageIdOf,
  ProtocolError,
  publicKeyOf,
  relayIdOf,
  sequencer
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { toString as toText } from 'uint8arrays/to-string'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { epochOf } from '../../src/conversations/epoch.ts'
import type { Incarnation } from '../../src/conversations/incarnations.ts'
import { wrapWelcome } from '../../src/conversations/welcome.ts'
import type { DirectGroupsComponents } from '../../src/direct/direct-groups.ts'
import { GroupChanges } from '../../src/direct/group-changes.ts'
import { openChange, sealChange } from '../../src/direct/sequenced-change.ts'
import { Sequencing } from '../../src/direct/sequencing.ts'
import type {
  GroupCrypto,
  GroupSnapshot,
  LocalDevice,
  Member
} from '../../src/groups/group-crypto.ts'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import { sequenceRequest } from '../../src/groups/receipts.ts'
import { createSymbolicCrypto } from '../../src/groups/symbolic.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom } from '../../src/kernel/random.ts'

const bytes = (value: number) => new Uint8Array(32).fill(value)
const relayKeys = primitives.keyPair(bytes(90))
const relay = relayIdOf(relayKeys.publicKey)
const symbolic = createSymbolicCrypto({ primitives, seed: bytes(91) })
let crypto: GroupCrypto = symbolic

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
const tools = { primitives, random: systemRandom }

/** The changes as bob's first device sees them, with this for every answer of a relay. */
function changes(answer?: sequencer.SequenceResponse | Error) {
  const directory = {
    certified,
    refreshUntil: async () => {},
    state: () => ({ homes: [{ relay, addresses: [] }], devices: [] })
  }
  const contacts = { get: () => undefined }
  const request = async () => {
    if (answer instanceof Error) throw answer
    return answer
  }
  const parts = {
    rpc: { request },
    crypto,
    primitives,
    device: bob,
    directory,
    contacts,
    homes: []
  }
  const components = parts as unknown as DirectGroupsComponents
  const made = new GroupChanges(components)
  const sequencing = new Sequencing(components, made)
  return {
    openCommit: made.openCommit.bind(made),
    sequence: sequencing.sequence.bind(sequencing),
    decided: sequencing.decided.bind(sequencing),
    decides: sequencing.decides.bind(sequencing)
  }
}

const incarnationOf = ({ state, view }: GroupSnapshot): Incarnation => ({
  groupId: toText(view.groupId, 'base16'),
  creator: view.creator,
  epoch: view.epoch,
  state
})

interface ReceiptOf {
  readonly of: GroupSnapshot
  /** What the commit leads to. */
  readonly begun?: GroupSnapshot
  readonly keys?: typeof relayKeys
  readonly epoch?: number
  readonly sealed?: Uint8Array
}

function receiptFor(commit: Uint8Array, options: ReceiptOf): Uint8Array {
  const { of, begun = of, keys = relayKeys, epoch = of.view.epoch, sealed = bytes(1) } = options
  const request = sequenceRequest(
    {
      ended: { ...epochOf(of.view, primitives), epoch },
      begun: begun.view,
      commit,
      sealed,
      previous: undefined
    },
    primitives
  )
  const receipt = sequencer.Receipt.encode({
    ...request,
    parent: new Uint8Array(0),
    sealed: sequencer.sealedChangeHash(sealed, primitives.sha256),
    relay: publicKeyOf(relay)
  })
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
    const opened = await open(made.commit, receiptFor(made.commit, { of: founded, begun: made }))
    if (opened.type !== 'applied') throw new Error(`it was ${opened.type}`)
    expect(opened.group.epoch.authenticator).toEqual(made.view.authenticator)
    expect(opened.group.epoch.members.map(({ device }) => device)).not.toContain(laptop.device)
  })

  it('of a device that its account still names is refused, even from who founded the group', async () => {
    const { commit } = await removalOf(laptop)
    expect(await open(commit, receiptFor(commit, { of: founded }))).toMatchObject({
      type: 'refused',
      reason: 'it removes a device that its account still names',
      endsGroup: true
    })
  })

  it('of this very device is believed only when its account says so', async () => {
    const { commit } = await removalOf(bob)
    const receipt = receiptFor(commit, { of: founded })
    expect(await open(commit, receipt)).toMatchObject({ type: 'refused', endsGroup: false })
    named = [alice, laptop]
    expect(await open(commit, receipt)).toEqual({ type: 'removed' })
  })

  it('is undone by adding the device again', async () => {
    const gone = await removalOf(laptop)
    named = [alice, bob]
    const first = await open(gone.commit, receiptFor(gone.commit, { of: founded, begun: gone }))
    if (first.type !== 'applied') throw new Error(`it was ${first.type}`)
    named = [alice, bob, laptop]
    const { keyPackage } = await crypto.createKeyPackage(laptop)
    const back = await crypto.add(gone.state, [keyPackage], anyone)
    const { state, epoch } = first.group
    const incarnation = { ...incarnationOf(joined), state, epoch: epoch.epoch }
    const receipt = receiptFor(back.commit, { of: gone, begun: back })
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
    const refused = { type: 'refused', endsGroup: false }
    expect(await open(commit, receipt(commit))).toMatchObject(refused)
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

describe('what the sequencer keeps of a change', () => {
  const signal = new AbortController().signal
  const asked = () => ({
    incarnation: incarnationOf(joined),
    epoch: epochOf(joined.view, primitives)
  })

  /** The answer for a commit, with what its maker sealed. */
  function answerFor(
    made: GroupSnapshot & { commit: Uint8Array },
    options: { sealed?: Uint8Array; shown?: Uint8Array; commit?: Uint8Array } = {}
  ): sequencer.SequenceResponse {
    const change = { commit: made.commit, welcomes: [] }
    const sealed = options.sealed ?? sealChange(change, joined.view.archiveKey, primitives)
    const { commit = made.commit, shown = sealed } = options
    const receipt = receiptFor(commit, { of: founded, begun: made, sealed })
    return { receipt: sequencer.SignedReceipt.decode(receipt), sealed: shown }
  }

  it('is followed as if it had come from who made it', async () => {
    const made = await removalOf(laptop)
    named = [alice, bob]
    const decided = await changes(answerFor(made)).decided(asked(), signal)
    expect(decided).toMatchObject({
      type: 'lost',
      change: { type: 'applied', group: { epoch: { authenticator: made.view.authenticator } } }
    })
  })

  it('is refused as if it had come from who made it, and ends the group', async () => {
    const decided = await changes(answerFor(await removalOf(laptop))).decided(asked(), signal)
    expect(decided).toMatchObject({ change: { type: 'refused', endsGroup: true } })
  })

  it('names the devices added, and nobody who is no member', async () => {
    named = [alice, bob]
    const gone = await removalOf(laptop)
    const envelope = wrapWelcome({ welcome: bytes(7), reference: bytes(8) }, tools).envelope
    const welcomes = [alice, mallory].map(({ account }) => ({
      id: messageIdOf(primitives.sha256(envelope)),
      envelope,
      account
    }))
    const sealed = sealChange({ commit: gone.commit, welcomes }, joined.view.archiveKey, primitives)
    const decided = await changes(answerFor(gone, { sealed })).decided(asked(), signal)
    expect(decided).toMatchObject({ welcomes: [welcomes[0]] })
  })

  it.each<[string, (made: Uint8Array) => Uint8Array]>([
    ['garbage', () => bytes(3)],
    [
      'another commit',
      () => sealChange({ commit: bytes(4), welcomes: [] }, joined.view.archiveKey, primitives)
    ],
    [
      'a change under another key',
      (commit) => sealChange({ commit, welcomes: [] }, bytes(5), primitives)
    ]
  ])("and is %s by the winner's fault, ends the group", async (_, seal) => {
    named = [alice, bob]
    const made = await removalOf(laptop)
    const answer = answerFor(made, { sealed: seal(made.commit) })
    const decided = await changes(answer).decided(asked(), signal)
    expect(decided).toMatchObject({ change: { type: 'refused', endsGroup: true } })
  })

  it('ends the group when it keeps everybody from changing it again', async () => {
    named = [alice, bob]
    const made = await removalOf(laptop)
    const poisoned = { ...made, view: { ...made.view, archiveKey: bytes(6) } }
    const decided = await changes(answerFor(poisoned)).decided(asked(), signal)
    expect(decided).toMatchObject({ change: { type: 'refused', endsGroup: true } })
  })

  it.each<[string, (answer: sequencer.SequenceResponse) => sequencer.SequenceResponse]>([
    ['other bytes', (answer) => ({ ...answer, sealed: bytes(9) })],
    ['nothing', (answer) => ({ ...answer, sealed: new Uint8Array(0) })],
    ['no receipt', ({ sealed }) => ({ sealed })],
    [
      'a receipt that it did not sign',
      ({ receipt, sealed }) => ({
        receipt: { receipt: receipt?.receipt ?? bytes(0), signature: new Uint8Array(64) },
        sealed
      })
    ]
  ])('and shown as %s by the relay, is a false answer and ends nothing', async (_, lie) => {
    named = [alice, bob]
    const lying = changes(lie(answerFor(await removalOf(laptop))))
    await expect(lying.decided(asked(), signal)).rejects.toMatchObject({ reason: 'false-change' })
  })

  it('is nothing while the epoch stands, and lost when the sequencer has passed it by', async () => {
    const none = changes(new ProtocolError('not-found', 'epoch'))
    expect(await none.decided(asked(), signal)).toBeUndefined()
    const passed = changes(new ProtocolError('conflict', 'epoch-passed'))
    const made = await removalOf(laptop)
    const epoch = epochOf(made.view, primitives)
    const change = { state: made.state, epoch, slots: [], commit: made.commit, welcomes: [] }
    expect(await passed.sequence({ ...asked(), change }, signal)).toMatchObject({
      type: 'lost',
      change: { endsGroup: true }
    })
  })

  it('is opened by nobody who was not in the epoch, and never altered', () => {
    const sealed = sealChange({ commit: bytes(1), welcomes: [] }, bytes(2), primitives)
    expect(openChange(sealed, bytes(2), primitives)?.commit).toEqual(bytes(1))
    expect(openChange(sealed, bytes(3), primitives)).toBeUndefined()
    for (let at = 0; at < sealed.byteLength; at += 1) {
      const other = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte))
      expect(openChange(other, bytes(2), primitives)).toBeUndefined()
    }
    for (const length of [0, 1, 31, 32, 48, sealed.byteLength - 1, 70_000]) {
      const cut = new Uint8Array(length)
      cut.set(sealed.subarray(0, length))
      expect(openChange(cut, bytes(2), primitives)).toBeUndefined()
    }
  })
})

describe('a receipt that a member tells of', () => {
  it('counts for its own group and its own sequencer only', () => {
    const { decides } = changes()
    const group = incarnationOf(joined)
    const receipt = receiptFor(bytes(1), { of: founded })
    expect(decides(group, receipt)).toBe(true)
    expect(decides({ ...group, groupId: 'f'.repeat(64) }, receipt)).toBe(false)
    for (const other of [bytes(1), new Uint8Array(0), new Uint8Array(2_000)]) {
      expect(decides(group, other)).toBe(false)
    }
    const { receipt: encoded, signature } = sequencer.SignedReceipt.decode(receipt)
    const fields = { ...sequencer.Receipt.decode(encoded), relay: bytes(9) }
    const foreign = sequencer.Receipt.encode(fields)
    expect(decides(group, sequencer.SignedReceipt.encode({ receipt: foreign, signature }))).toBe(
      false
    )
  })
})

describe('under real MLS', () => {
  beforeAll(async () => {
    crypto = await createMlsCrypto({ primitives })
  })
  afterAll(() => {
    crypto = symbolic
  })

  it('a removal and an addition are found with the sequencer one after the other', async () => {
    const signal = new AbortController().signal
    const standing = (at: GroupSnapshot) => ({
      incarnation: incarnationOf(at),
      epoch: epochOf(at.view, primitives)
    })
    const gone = await removalOf(laptop)
    named = [alice, bob]
    const sealed = sealChange(
      { commit: gone.commit, welcomes: [] },
      joined.view.archiveKey,
      primitives
    )
    const receipt = receiptFor(gone.commit, { of: founded, begun: gone, sealed })
    const answer = { receipt: sequencer.SignedReceipt.decode(receipt), sealed }
    const first = await changes(answer).decided(standing(joined), signal)
    if (first?.type !== 'lost' || first.change.type !== 'applied') throw new Error('not followed')
    const { state, epoch } = first.change.group
    expect(epoch.authenticator).toEqual(gone.view.authenticator)
    // Who was removed has neither the key that the next change is sealed under nor the proof to take the epoch.
    expect(openChange(sealed, epoch.archiveKey, primitives)).toBeUndefined()
    named = [alice, bob, laptop]
    const { keyPackage } = await crypto.createKeyPackage(laptop)
    const back = await crypto.add(gone.state, [keyPackage], anyone)
    const next = sealChange({ commit: back.commit, welcomes: [] }, epoch.archiveKey, primitives)
    const second = await changes({
      receipt: sequencer.SignedReceipt.decode(
        receiptFor(back.commit, { of: gone, begun: back, sealed: next })
      ),
      sealed: next
    }).decided(
      { incarnation: { ...incarnationOf(joined), state, epoch: epoch.epoch }, epoch },
      signal
    )
    expect(second).toMatchObject({
      change: { type: 'applied', group: { epoch: { authenticator: back.view.authenticator } } }
    })
  })
})
