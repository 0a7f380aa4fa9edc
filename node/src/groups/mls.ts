// Group keys by MLS (RFC 9420) over ts-mls, pinned exactly at 1.6.4: 2.0.0-rc.10 lets a removed member read on,
// and a test keeps it out. The library's defaults accept any credential, removal and external commit; everything
// here passes mls-policy.ts first, and every one of its exceptions ends as a GroupCryptoError.
import {
  bytesToBase64,
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  createCommit,
  createGroup,
  emptyPskIndex,
  encodeMlsMessage,
  joinGroup,
  type MLSMessage,
  makePskIndex,
  mlsExporter,
  type Proposal,
  type ProposalPSK,
  type PskIndex,
  type PublicMessage,
  processPublicMessage,
  zeroOutUint8Array
} from 'ts-mls'
import { defaultClientConfig } from 'ts-mls/clientConfig.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import type { Primitives } from '../kernel/primitives.ts'
import {
  type CertificateCheck,
  type CommitResult,
  type GroupCrypto,
  GroupCryptoError,
  type GroupSnapshot,
  type GroupView
} from './group-crypto.ts'
import {
  ARCHIVE_KEY_BYTES,
  AUTHENTICATOR_BYTES,
  GROUP_ID_BYTES,
  REFERENCE_BYTES
} from './limits.ts'
import { requireAllowed, requireRemovable } from './membership.ts'
import {
  decodeCommit,
  decodeKeyPackage,
  decodeSecret,
  decodeState,
  decodeWelcome,
  encodeState,
  encodeWelcome
} from './mls-codec.ts'
import { isCertified, memberOf } from './mls-credential.ts'
import { encodeFacts } from './mls-group-facts.ts'
import { encodePair, generateKeyPackage, requireKeyPackage } from './mls-key-package.ts'
import {
  groupOf,
  ownMember,
  positionOf,
  requireAcceptable,
  requireFreshKeys,
  requireJoinable
} from './mls-policy.ts'
import { createSuite } from './mls-suite.ts'

const ARCHIVE_LABEL = 'archive'
const NO_CONTEXT = new Uint8Array(0)
const PSK_BYTES = 32

/** Used where a state is decoded and no credential will be looked at. */
const NOBODY: CertificateCheck = () => false

/**
 * Runs one operation of the library with credentials checked by `certified`. Whatever it throws becomes a
 * GroupCryptoError: `uncertified` if a credential was refused on the way, else `malformed`.
 */
async function guarded<T>(
  certified: CertificateCheck,
  act: (config: ClientConfig) => Promise<T>
): Promise<T> {
  let refused = false
  const validateCredential: ClientConfig['authService']['validateCredential'] = async (
    credential,
    signaturePublicKey
  ) => {
    const accepted = isCertified({ credential, signaturePublicKey }, certified)
    refused ||= !accepted
    return accepted
  }
  try {
    return await act({ ...defaultClientConfig, authService: { validateCredential } })
  } catch (cause) {
    if (cause instanceof GroupCryptoError) throw cause
    throw new GroupCryptoError(refused ? 'uncertified' : 'malformed', 'refused by MLS', cause)
  }
}

async function snapshot(state: ClientState, suite: CiphersuiteImpl): Promise<GroupSnapshot> {
  const { exporterSecret, epochAuthenticator } = state.keySchedule
  const view: GroupView = {
    groupId: state.groupContext.groupId.slice(),
    epoch: Number(state.groupContext.epoch),
    ...groupOf(state),
    authenticator: epochAuthenticator.slice(0, AUTHENTICATOR_BYTES),
    archiveKey: await mlsExporter(
      exporterSecret,
      ARCHIVE_LABEL,
      NO_CONTEXT,
      ARCHIVE_KEY_BYTES,
      suite
    )
  }
  return { state: encodeState(state), view }
}

/** Nothing leaves this device that would let the removed read on, whatever version of the library made it. */
function requirePath(message: MLSMessage, proposals: readonly Proposal[]): void {
  const removes = proposals.some((proposal) => 'remove' in proposal)
  const content = message.wireformat === 'mls_public_message' && message.publicMessage.content
  const hasPath = content && content.contentType === 'commit' && content.commit.path !== undefined
  if (removes && !hasPath) throw new GroupCryptoError('policy', 'a removal without fresh keys')
}

async function commit(
  state: ClientState,
  options: { suite: CiphersuiteImpl; proposals: Proposal[]; pskIndex?: PskIndex }
): Promise<CommitResult> {
  const { suite, proposals, pskIndex = emptyPskIndex } = options
  const result = await createCommit(
    { state, cipherSuite: suite, pskIndex },
    { wireAsPublicMessage: true, extraProposals: proposals, ratchetTreeExtension: true }
  )
  requirePath(result.commit, proposals)
  const next = await snapshot(result.newState, suite)
  // The decoded state is a private copy (mls-codec.ts), so this reaches no bytes that a caller holds.
  result.consumed.forEach(zeroOutUint8Array)
  return {
    ...next,
    commit: encodeMlsMessage(result.commit),
    welcome: result.welcome && encodeWelcome(result.welcome)
  }
}

/**
 * A secret that only this device knows, mixed into the next epoch. Needed when it stays behind alone: ts-mls
 * 1.6.4 then takes an all-zero commit secret, and the removed could derive every later epoch.
 */
function freshSecret(state: ClientState, suite: CiphersuiteImpl) {
  const pskId = suite.rng.randomBytes(PSK_BYTES)
  const proposal: ProposalPSK = {
    proposalType: 'psk',
    psk: {
      preSharedKeyId: {
        psktype: 'external',
        pskId,
        pskNonce: suite.rng.randomBytes(suite.kdf.size)
      }
    }
  }
  const secret = suite.rng.randomBytes(PSK_BYTES)
  return { proposal, pskIndex: makePskIndex(state, { [bytesToBase64(pskId)]: secret }) }
}

/** Throws `removed` if the commit, which removes this device, is authentic; else why it is not. */
async function refuseRemoved(
  state: ClientState,
  { message, suite }: { message: PublicMessage; suite: CiphersuiteImpl }
): Promise<never> {
  const { keySchedule, groupContext, ratchetTree } = state
  await unprotectPublicMessage(keySchedule.membershipKey, groupContext, ratchetTree, message, suite)
  throw new GroupCryptoError('removed', 'this device was removed from the group')
}

/** The port over ts-mls; see GroupCrypto for what it promises. */
export async function createMlsCrypto({
  primitives
}: {
  readonly primitives: Primitives
}): Promise<GroupCrypto> {
  const suite = await createSuite(primitives)

  return {
    async createKeyPackage(device, options) {
      const lastResort = options?.lastResort ?? false
      return encodePair(await generateKeyPackage(device, { suite, lastResort }), suite)
    },

    inspectKeyPackage: (bytes, certified) =>
      guarded(certified, async () => {
        const keyPackage = decodeKeyPackage(bytes)
        await requireKeyPackage(keyPackage, { suite, certified })
        return memberOf(keyPackage.leafNode)
      }),

    create: (device, groupId) =>
      guarded(NOBODY, async (config) => {
        if (groupId.byteLength !== GROUP_ID_BYTES) {
          throw new GroupCryptoError('malformed', `a group id has ${GROUP_ID_BYTES} bytes`)
        }
        const own = await generateKeyPackage(device, { suite, lastResort: false })
        const facts = encodeFacts({ creator: device.account })
        const state = await createGroup(
          groupId.slice(),
          own.keyPackage,
          own.privatePackage,
          [facts],
          suite,
          config
        )
        return snapshot(state, suite)
      }),

    add: (bytes, packages, certified) =>
      guarded(certified, async (config) => {
        const state = decodeState(bytes, config)
        const keyPackages = packages.map(decodeKeyPackage)
        if (keyPackages.length === 0) throw new GroupCryptoError('policy', 'nobody to add')
        for (const keyPackage of keyPackages) {
          await requireKeyPackage(keyPackage, { suite, certified })
        }
        const leaves = keyPackages.map(({ leafNode }) => leafNode)
        const change = { committer: ownMember(state), added: leaves.map(memberOf), removed: [] }
        requireAllowed(groupOf(state), change, certified)
        requireFreshKeys(state, leaves)
        const proposals = keyPackages.map(
          (keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })
        )
        return commit(state, { suite, proposals })
      }),

    remove: (bytes, devices, certified) =>
      guarded(certified, async (config) => {
        const state = decodeState(bytes, config)
        const own = ownMember(state)
        const group = groupOf(state)
        const removed = requireRemovable(group.members, { devices, own })
        requireAllowed(group, { committer: own, added: [], removed }, certified)
        const proposals = removed.map(
          (member): Proposal => ({
            proposalType: 'remove',
            remove: { removed: positionOf(state, member) }
          })
        )
        if (group.members.length - removed.length > 1) return commit(state, { suite, proposals })
        const { proposal, pskIndex } = freshSecret(state, suite)
        return commit(state, { suite, proposals: [...proposals, proposal], pskIndex })
      }),

    welcomeReferences(bytes) {
      const references = decodeWelcome(bytes).secrets.map(({ newMember }) => newMember)
      if (references.some(({ byteLength }) => byteLength !== REFERENCE_BYTES)) {
        throw new GroupCryptoError('malformed', 'not a welcome')
      }
      return references
    },

    join: (bytes, secret, certified) =>
      guarded(certified, async (config) => {
        const welcome = decodeWelcome(bytes)
        const { keyPackage, privatePackage } = decodeSecret(secret)
        const state = await joinGroup(
          welcome,
          keyPackage,
          privatePackage,
          emptyPskIndex,
          suite,
          undefined,
          undefined,
          config
        )
        requireJoinable(state, certified)
        return snapshot(state, suite)
      }),

    process: (bytes, message, certified) =>
      guarded(certified, async (config) => {
        const state = decodeState(bytes, config)
        const decoded = decodeCommit(message)
        const { removesSelf } = requireAcceptable(state, decoded, certified)
        if (removesSelf) return refuseRemoved(state, { message: decoded, suite })
        const result = await processPublicMessage(state, decoded, emptyPskIndex, suite)
        const next = await snapshot(result.newState, suite)
        result.consumed.forEach(zeroOutUint8Array)
        return next
      })
  }
}
