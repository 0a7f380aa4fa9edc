// Who may change a group, decided before anything is applied. ts-mls accepts any removal, any external commit
// and any proposal by default; here a commit is read first and refused unless every change in it is allowed.
import type { ClientState, LeafNode, Proposal, PublicMessage } from 'ts-mls'
import { toString as toText } from 'uint8arrays/to-string'
import { equals } from 'uint8arrays/equals'
import { type CertificateCheck, GroupCryptoError, type Member } from './group-crypto.ts'
import { LEAVES_MAX } from './mls-codec.ts'
import { memberOf } from './mls-credential.ts'
import { decodeFacts } from './mls-group-facts.ts'

const GROUP_ID_BYTES = 32

function refuse(reason: string): never {
  throw new GroupCryptoError('policy', reason)
}

/** The leaf at a position among leaves; undefined for a blank or a position outside of the tree. */
export function leafAt(
  state: Pick<ClientState, 'ratchetTree'>,
  position: number
): LeafNode | undefined {
  // Leaves are the even nodes of the tree (RFC 9420 §C).
  const node = state.ratchetTree[2 * position]
  return node?.nodeType === 'leaf' ? node.leaf : undefined
}

/** Leaves in tree order, each with its position among leaves. */
export function leavesOf(
  state: Pick<ClientState, 'ratchetTree'>
): readonly { readonly leaf: LeafNode; readonly position: number }[] {
  return state.ratchetTree.flatMap((node, index) =>
    node?.nodeType === 'leaf' ? [{ leaf: node.leaf, position: index / 2 }] : []
  )
}

/** A change of membership: who acts, and which leaves come and go. */
export interface Change {
  readonly committer: Member
  readonly added: readonly LeafNode[]
  /** Positions among leaves. */
  readonly removed: readonly number[]
}

/**
 * Throws unless `committer` may make the change: to leaves of its own account, to leaves that `certified` no
 * longer accepts, or to any leaf if its account created the group. Newcomers have to be certified.
 * @throws GroupCryptoError `policy` or `uncertified`
 */
export function requireAllowed(
  state: ClientState,
  { committer, added, removed }: Change,
  certified: CertificateCheck
): void {
  const isCreator = decodeFacts(state.groupContext.extensions).creator === committer.account
  for (const position of removed) {
    const leaf = leafAt(state, position) ?? refuse('removal of a leaf that is not there')
    const member = memberOf(leaf)
    if (!isCreator && member.account !== committer.account && certified(member)) {
      refuse('removal of another account')
    }
  }
  for (const leaf of added) {
    const member = memberOf(leaf)
    if (!certified(member)) throw new GroupCryptoError('uncertified', 'an uncertified newcomer')
    if (!isCreator && member.account !== committer.account) refuse('addition of another account')
  }
  requireFresh(state, { added, removed })
}

/** Newcomers must not already be there, nor bring a key that is in use: the library does not look. */
function requireFresh(state: ClientState, { added, removed }: Omit<Change, 'committer'>): void {
  const staying = leavesOf(state).filter(({ position }) => !removed.includes(position))
  if (new Set(removed).size !== removed.length) refuse('one leaf removed twice')
  if (staying.length + added.length > LEAVES_MAX) refuse(`more than ${LEAVES_MAX} devices`)
  const devices = new Set(staying.map(({ leaf }) => toText(leaf.signaturePublicKey, 'hex')))
  const keys = encryptionKeysOf(state)
  for (const leaf of added) {
    const device = toText(leaf.signaturePublicKey, 'hex')
    const key = toText(leaf.hpkePublicKey, 'hex')
    if (devices.has(device)) refuse('addition of a device that is a member')
    if (keys.has(key)) refuse('addition with an encryption key that is in use')
    devices.add(device)
    keys.add(key)
  }
}

/** Hexadecimal encryption keys of all nodes. */
function encryptionKeysOf(state: ClientState): Set<string> {
  const keys = state.ratchetTree.flatMap((node) =>
    node === undefined
      ? []
      : [node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey]
  )
  return new Set(keys.map((key) => toText(key, 'hex')))
}

/** Splits proposals into leaves that come and positions that go; refuses every other kind. */
function readProposals(proposals: readonly Proposal[]): Omit<Change, 'committer'> {
  const added: LeafNode[] = []
  const removed: number[] = []
  for (const proposal of proposals) {
    if (proposal.proposalType === 'add' && 'add' in proposal) {
      added.push(proposal.add.keyPackage.leafNode)
    } else if (proposal.proposalType === 'remove' && 'remove' in proposal) {
      removed.push(proposal.remove.removed)
    } else refuse('a proposal that is neither an addition nor a removal')
  }
  return { added, removed }
}

/** The committer keeps its identity and its device key, and takes encryption keys that nobody had. */
function requireOwnPath(
  state: ClientState,
  options: {
    path: { leafNode: LeafNode; nodes: readonly { hpkePublicKey: Uint8Array }[] }
    old: LeafNode
  }
): void {
  const { path, old } = options
  const isSame =
    old.credential.credentialType === 'basic' &&
    path.leafNode.credential.credentialType === 'basic' &&
    equals(old.credential.identity, path.leafNode.credential.identity) &&
    equals(old.signaturePublicKey, path.leafNode.signaturePublicKey)
  if (!isSame) refuse('a commit that changes who its committer is')
  const used = encryptionKeysOf(state)
  for (const { hpkePublicKey } of [path.leafNode, ...path.nodes]) {
    const key = toText(hpkePublicKey, 'hex')
    if (used.has(key)) refuse('a path with an encryption key that is in use')
    used.add(key)
  }
}

/**
 * Checks a received commit against the state it is for, without applying it. Says whether it removes this
 * device. The message's own signature and membership tag are the library's to check.
 * @throws GroupCryptoError `epoch`, `policy`, `uncertified`
 */
export function requireAcceptable(
  state: ClientState,
  message: PublicMessage,
  certified: CertificateCheck
): { readonly removesSelf: boolean } {
  const { content } = message
  if (content.contentType !== 'commit') refuse('a proposal outside of a commit')
  if (content.sender.senderType !== 'member') refuse('a commit from outside of the group')
  if (!equals(content.groupId, state.groupContext.groupId)) refuse('a commit for another group')
  if (content.epoch !== state.groupContext.epoch) {
    throw new GroupCryptoError('epoch', `a commit for epoch ${content.epoch}`)
  }
  const own = state.privatePath.leafIndex
  if (content.sender.leafIndex === own) refuse('a commit by this device')
  const leaf = leafAt(state, content.sender.leafIndex) ?? refuse('a commit by a blank leaf')
  const committer = memberOf(leaf)
  if (!certified(committer)) {
    throw new GroupCryptoError('uncertified', 'a commit by an uncertified device')
  }
  const inline = content.commit.proposals.map((item) =>
    item.proposalOrRefType === 'proposal'
      ? item.proposal
      : refuse('a commit that refers to a proposal')
  )
  const removesSelf = inline.some(
    (proposal) => 'remove' in proposal && proposal.remove.removed === own
  )
  // Whoever stays alone draws fresh keys by a PSK that the removed cannot know, and need not.
  const change = readProposals(removesSelf ? inline.filter((item) => !('psk' in item)) : inline)
  requireAllowed(state, { ...change, committer }, certified)
  const { path } = content.commit
  // Without a path the removed keep deriving the keys of the next epoch (RFC 9420 §12.4).
  if (path === undefined && (change.removed.length > 0 || change.added.length === 0)) {
    refuse('a removal without fresh keys')
  }
  if (path !== undefined) requireOwnPath(state, { path, old: leaf })
  return { removesSelf }
}

/**
 * Checks a group that a welcome led to: known in kind and size, every leaf certified.
 * @throws GroupCryptoError `policy`, `uncertified`
 */
export function requireJoinable(state: ClientState, certified: CertificateCheck): void {
  decodeFacts(state.groupContext.extensions)
  const leaves = leavesOf(state)
  if (leaves.length > LEAVES_MAX) refuse(`more than ${LEAVES_MAX} devices`)
  if (state.groupContext.groupId.byteLength !== GROUP_ID_BYTES) refuse('a group id of odd length')
  if (!leaves.every(({ leaf }) => certified(memberOf(leaf)))) {
    throw new GroupCryptoError('uncertified', 'a group with an uncertified member')
  }
}
