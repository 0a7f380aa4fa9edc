// A member, or somebody outside, who uses the library without our policy: everything it lets them do is refused
// by those who receive it.
import {
  type ClientState,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  defaultCapabilities,
  defaultLifetime,
  type Extension,
  encodeMlsMessage,
  encodeRequiredCapabilities,
  generateKeyPackageWithKey,
  joinGroupExternal,
  type MLSMessage,
  makePskIndex,
  type Proposal,
  type PublicMessage,
  proposeAddExternal
} from 'ts-mls'
import { defaultClientConfig } from 'ts-mls/clientConfig.js'
import { signKeyPackage } from 'ts-mls/keyPackage.js'
import { signLeafNodeKeyPackage } from 'ts-mls/leafNode.js'
import { beforeAll, describe, expect, test } from 'vitest'
import type {
  CommitResult,
  GroupSnapshot,
  KeyPackagePair,
  LocalDevice
} from '../../src/groups/group-crypto.ts'
import { createMlsCrypto } from '../../src/groups/mls.ts'
import {
  decodeCommit,
  decodeKeyPackage,
  decodeState,
  encodeKeyPackage,
  encodeWelcome
} from '../../src/groups/mls-codec.ts'
import { CAPABILITIES, credentialOf } from '../../src/groups/mls-credential.ts'
import { encodeFacts } from '../../src/groups/mls-group-facts.ts'
import { generateKeyPackage } from '../../src/groups/mls-key-package.ts'
import { createSuite } from '../../src/groups/mls-suite.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { createDevice } from '../../src/testing/people.ts'

const crypto = await createMlsCrypto({ primitives })
const suite = await createSuite(primitives)
const certified = () => true
const GROUP_ID = new Uint8Array(32).fill(1)

const alice = createDevice('alice', 'laptop', primitives)
const bob = createDevice('bob', 'laptop', primitives)
const carol = createDevice('carol', 'laptop', primitives)
const mallory = createDevice('mallory', 'laptop', primitives)

/** The state of a member as the library itself sees it, with the library's permissive defaults. */
const unguarded = ({ state }: GroupSnapshot): ClientState => decodeState(state, defaultClientConfig)

const encode = (message: MLSMessage): Uint8Array => encodeMlsMessage(message)

describe('in a group of alice, who created it, bob and mallory', () => {
  let alices: CommitResult
  let bobs: GroupSnapshot
  let mallorys: GroupSnapshot
  let carols: KeyPackagePair

  beforeAll(async () => {
    const created = await crypto.create(alice, GROUP_ID)
    const pairs = [await crypto.createKeyPackage(bob), await crypto.createKeyPackage(mallory)]
    const packages = pairs.map(({ keyPackage }) => keyPackage)
    alices = await crypto.add(created.state, packages, certified)
    const { welcome } = alices
    const join = (pair: KeyPackagePair | undefined) =>
      crypto.join(welcome as Uint8Array, (pair as KeyPackagePair).secret, certified)
    bobs = await join(pairs[0])
    mallorys = await join(pairs[1])
    carols = await crypto.createKeyPackage(carol)
  })

  async function commitBy(
    state: ClientState,
    proposals: Proposal[],
    psks: Record<string, Uint8Array> = {}
  ): Promise<Uint8Array> {
    const { commit } = await createCommit(
      { state, cipherSuite: suite, pskIndex: makePskIndex(state, psks) },
      { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals: proposals }
    )
    return encode(commit)
  }

  const refused = (commit: Uint8Array, code: string) =>
    expect(crypto.process(bobs.state, commit, certified)).rejects.toMatchObject({
      name: 'GroupCryptoError',
      code
    })

  test('her empty commit, which only renews her keys, is fine', async () => {
    const commit = await commitBy(unguarded(mallorys), [])
    const after = await crypto.process(bobs.state, commit, certified)
    expect(after.view.epoch).toBe(2)
    expect(after.view.archiveKey).not.toEqual(bobs.view.archiveKey)
  })

  test('her removal of bob or alice is refused', async () => {
    for (const removed of [0, 1]) {
      const commit = await commitBy(unguarded(mallorys), [
        { proposalType: 'remove', remove: { removed } }
      ])
      await refused(commit, 'policy')
    }
  })

  test('her addition of carol is refused', async () => {
    const add = { keyPackage: decodeKeyPackage(carols.keyPackage) }
    await refused(await commitBy(unguarded(mallorys), [{ proposalType: 'add', add }]), 'policy')
  })

  test('other proposals, alone or among allowed ones, are refused', async () => {
    const state = unguarded(mallorys)
    const own = await crypto.createKeyPackage(createDevice('mallory', 'phone', primitives))
    const add: Proposal = {
      proposalType: 'add',
      add: { keyPackage: decodeKeyPackage(own.keyPackage) }
    }
    const extensions: Extension[] = [encodeFacts({ creator: mallory.account })]
    const pskId = new Uint8Array(4).fill(1)
    const psk: Proposal = {
      proposalType: 'psk',
      psk: { preSharedKeyId: { psktype: 'external', pskId, pskNonce: new Uint8Array(32) } }
    }
    const others: Proposal[] = [
      { proposalType: 'group_context_extensions', groupContextExtensions: { extensions } },
      { proposalType: 0xf123, proposalData: new Uint8Array(3) },
      psk
    ]
    const secrets = { [Buffer.from(pskId).toString('base64')]: new Uint8Array(32) }
    for (const other of others) {
      await refused(await commitBy(state, [other], secrets), 'policy')
      await refused(await commitBy(state, [add, other], secrets), 'policy')
    }
    const reinit: Proposal = {
      proposalType: 'reinit',
      reinit: { groupId: GROUP_ID, version: 'mls10', cipherSuite: suite.name, extensions: [] }
    }
    await refused(await commitBy(state, [reinit]), 'policy')
    await crypto.process(bobs.state, await commitBy(state, [add]), certified)
  })

  test('her proposal outside of a commit is refused', async () => {
    const state = unguarded(mallorys)
    const proposal: Proposal = { proposalType: 'remove', remove: { removed: 1 } }
    const { message } = await createProposal(state, true, proposal, suite)
    await refused(encode(message), 'policy')
    const { message: sealed } = await createProposal(state, false, proposal, suite)
    await refused(encode(sealed), 'malformed')
  })

  test('her commit that refers to an earlier proposal is refused', async () => {
    const proposal: Proposal = { proposalType: 'remove', remove: { removed: 1 } }
    const { newState } = await createProposal(unguarded(mallorys), true, proposal, suite)
    await refused(await commitBy(newState, []), 'policy')
  })

  test('a proposal or a commit from outside of the group is refused', async () => {
    const state = unguarded(mallorys)
    const info = await createGroupInfoWithExternalPubAndRatchetTree(state, [], suite)
    const stranger = await generateKeyPackage(carol, { suite, lastResort: false })
    const { publicMessage } = await joinGroupExternal(
      info,
      stranger.keyPackage,
      stranger.privatePackage,
      false,
      suite
    )
    const wireformat = 'mls_public_message' as const
    await refused(encode({ version: 'mls10', wireformat, publicMessage }), 'policy')
    const proposal = await proposeAddExternal(
      info,
      stranger.keyPackage,
      stranger.privatePackage,
      suite
    )
    await refused(encode(proposal), 'policy')
  })

  test('a commit in which she takes the identity of another is refused', async () => {
    const state = unguarded(mallorys)
    for (const identity of [alice, carol]) {
      const tree = state.ratchetTree.map((node) =>
        node?.nodeType === 'leaf' && node.leaf.signaturePublicKey[0] === mallorysKey()[0]
          ? { ...node, leaf: { ...node.leaf, credential: credentialOf(identity) } }
          : node
      )
      await refused(await commitBy({ ...state, ratchetTree: tree }, []), 'policy')
    }
  })

  const mallorysKey = () => decodeCommitLeaf(unguarded(mallorys)).signaturePublicKey

  test('her addition of a device under an encryption key that is in use is refused', async () => {
    const state = unguarded(mallorys)
    const phone = createDevice('mallory', 'phone', primitives)
    const { keyPackage } = await generateKeyPackage(phone, { suite, lastResort: false })
    const [first] = state.ratchetTree
    const taken = first?.nodeType === 'leaf' ? first.leaf.hpkePublicKey : new Uint8Array(0)
    const forged = await resign({ ...keyPackage.leafNode, hpkePublicKey: taken }, phone, keyPackage)
    const commit = await commitBy(state, [{ proposalType: 'add', add: { keyPackage: forged } }])
    await refused(commit, 'policy')
  })

  test('a removal from which she took the path is refused', async () => {
    const phone = createDevice('mallory', 'phone', primitives)
    const pair = await crypto.createKeyPackage(phone)
    const added = await crypto.add(mallorys.state, [pair.keyPackage], certified)
    const bobAfter = await crypto.process(bobs.state, added.commit, certified)
    const removal = await crypto.remove(added.state, [phone.device], certified)
    const message = decodeCommit(removal.commit)
    if (message.content.contentType !== 'commit') throw new Error('expected a commit')
    const content = {
      ...message.content,
      commit: { ...message.content.commit, path: undefined }
    }
    const pathless = encode({
      version: 'mls10',
      wireformat: 'mls_public_message',
      publicMessage: { ...message, content }
    })
    await expect(crypto.process(bobAfter.state, pathless, certified)).rejects.toMatchObject({
      code: 'policy',
      message: 'a removal without fresh keys'
    })
    await crypto.process(bobAfter.state, removal.commit, certified)
  })

  test('the notice of a removal that nobody made is not believed', async () => {
    const { commit } = await crypto.remove(alices.state, [bob.device], certified)
    await refused(commit, 'removed')
    const message = decodeCommit(commit)
    const flipped = (bytes: Uint8Array) =>
      bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte))
    const { auth, content } = message
    const forgeries = [
      { ...message, auth: { ...auth, signature: flipped(auth.signature) } },
      { ...message, content: { ...content, authenticatedData: new Uint8Array(1) } },
      { ...message, membershipTag: flipped(membershipTagOf(message)) }
    ] as PublicMessage[]
    for (const publicMessage of forgeries) {
      const wireformat = 'mls_public_message' as const
      await refused(encode({ version: 'mls10', wireformat, publicMessage }), 'malformed')
    }
  })
})

function membershipTagOf(message: PublicMessage): Uint8Array {
  if (message.senderType !== 'member') throw new Error('expected a member')
  return message.membershipTag
}

function decodeCommitLeaf(state: ClientState) {
  const node = state.ratchetTree[2 * state.privatePath.leafIndex]
  if (node?.nodeType !== 'leaf') throw new Error('expected a leaf')
  return node.leaf
}

type KeyPackage = ReturnType<typeof decodeKeyPackage>

async function resign(
  leaf: KeyPackage['leafNode'],
  { privateKey }: LocalDevice,
  original: KeyPackage
): Promise<KeyPackage> {
  const leafNode = await signLeafNodeKeyPackage(leaf, privateKey, suite.signature)
  return signKeyPackage({ ...original, leafNode }, privateKey, suite.signature)
}

describe('a key package is refused', () => {
  const keys = (device: LocalDevice) => ({
    signKey: device.privateKey,
    publicKey: primitives.keyPair(device.privateKey).publicKey
  })

  async function made(options: {
    as: LocalDevice
    signedBy?: LocalDevice
    capabilities?: typeof CAPABILITIES
  }) {
    const { publicPackage } = await generateKeyPackageWithKey(
      credentialOf(options.as),
      options.capabilities ?? CAPABILITIES,
      defaultLifetime,
      [],
      keys(options.signedBy ?? options.as),
      suite
    )
    return publicPackage
  }

  const inspect = (keyPackage: KeyPackage) =>
    crypto.inspectKeyPackage(encodeKeyPackage(keyPackage), certified)

  test('unless its certificate is for the key that signs it', async () => {
    expect(await inspect(await made({ as: bob }))).toMatchObject({ device: bob.device })
    const forged = await made({ as: bob, signedBy: mallory })
    await expect(inspect(forged)).rejects.toMatchObject({ code: 'malformed' })
  })

  test('with a signature that is not its own', async () => {
    const keyPackage = await made({ as: bob })
    const other = await made({ as: bob })
    for (const forged of [
      { ...keyPackage, signature: other.signature },
      { ...keyPackage, initKey: other.initKey },
      { ...keyPackage, leafNode: other.leafNode },
      { ...keyPackage, leafNode: { ...keyPackage.leafNode, signature: other.leafNode.signature } }
    ]) {
      await expect(inspect(forged)).rejects.toMatchObject({ code: 'malformed' })
    }
  })

  test('when its device could not follow our groups', async () => {
    const foreign = await made({
      as: bob,
      capabilities: { ...defaultCapabilities(), extensions: [] }
    })
    await expect(inspect(foreign)).rejects.toMatchObject({ code: 'malformed' })
  })

  test('with a certificate of another form', async () => {
    const { publicPackage } = await generateKeyPackageWithKey(
      { credentialType: 'basic', identity: new TextEncoder().encode('bob') },
      CAPABILITIES,
      defaultLifetime,
      [],
      keys(bob),
      suite
    )
    await expect(inspect(publicPackage)).rejects.toMatchObject({ code: 'malformed' })
  })
})

describe('a welcome is refused', () => {
  test.each([
    ['without our extension', [] as Extension[]],
    ['with a second extension', [encodeFacts({ creator: alice.account }), other()]],
    ['of another kind', [kind(2)]]
  ])('into a group %s', async (_, extensions) => {
    const own = await generateKeyPackage(alice, { suite, lastResort: false })
    const state = await createGroup(GROUP_ID, own.keyPackage, own.privatePackage, extensions, suite)
    const pair = await crypto.createKeyPackage(bob)
    const add = { keyPackage: decodeKeyPackage(pair.keyPackage) }
    const { welcome } = await createCommit(
      { state, cipherSuite: suite },
      { ratchetTreeExtension: true, extraProposals: [{ proposalType: 'add', add }] }
    )
    if (welcome === undefined) throw new Error('expected a welcome')
    const joining = crypto.join(encodeWelcome(welcome), pair.secret, certified)
    await expect(joining).rejects.toMatchObject({ code: 'policy' })
  })
})

function other(): Extension {
  const none = { extensionTypes: [], proposalTypes: [], credentialTypes: [] }
  return {
    extensionType: 'required_capabilities',
    extensionData: encodeRequiredCapabilities(none)
  }
}

function kind(value: number): Extension {
  const facts = encodeFacts({ creator: alice.account })
  const extensionData = facts.extensionData.slice()
  extensionData[1] = value
  return { ...facts, extensionData }
}
