// What a commit may contain, decided before anything is applied. ts-mls accepts any removal, any external commit
// and any proposal by default; here a commit is read first and refused unless every change in it is allowed.
import type { ClientState, LeafNode, Proposal, PublicMessage } from 'ts-mls'
import { equals } from 'uint8arrays/equals'
import { toString as toText } from 'uint8arrays/to-string'
import { type CertificateCheck, GroupCryptoError, type Member } from './group-crypto.ts'
import { GROUP_ID_BYTES, LEAVES_MAX } from './limits.ts'
import { refuse, requireAllowed } from './membership.ts'
import { memberOf } from './mls-credential.ts'
import { decodeFacts, type GroupFacts } from './mls-group-facts.ts'

type Tree = Pick<ClientState, 'ratchetTree'>

/** The leaf at a position among leaves; undefined for a blank or a position outside of the tree. */
function leafAt(state: Tree, position: number): LeafNode | undefined {
  // Leaves are the even nodes of the tree (RFC 9420 §C).
  const node = state.ratchetTree[2 * position]
  return node?.nodeType === 'leaf' ? node.leaf : undefined
}

/** Members in tree order. */
export function membersOf(state: Tree): readonly Member[] {
  return state.ratchetTree.flatMap((node) =>
    node?.nodeType === 'leaf' ? [memberOf(node.leaf)] : []
  )
}

/** Position among leaves of a member; -1 when it has none. */
export function positionOf(state: Tree, { device }: Member): number {
  const index = state.ratchetTree.findIndex(
    (node) => node?.nodeType === 'leaf' && memberOf(node.leaf).device === device
  )
  return index / 2
}

/** The member that this device is. */
export function ownMember(state: ClientState): Member {
  const leaf = leafAt(state, state.privatePath.leafIndex)
  if (leaf === undefined) throw new GroupCryptoError('malformed', 'a state without an own leaf')
  return memberOf(leaf)
}

/** What `requireAllowed` wants to know about a group. */
export function groupOf(state: ClientState): GroupFacts & { readonly members: readonly Member[] } {
  return { ...decodeFacts(state.groupContext.extensions), members: membersOf(state) }
}

/** Refuses an encryption key that any node has, or that comes twice: the library does not look. */
export function requireFreshKeys(
  state: Tree,
  newcomers: readonly { readonly hpkePublicKey: Uint8Array }[]
): void {
  const used = new Set(
    state.ratchetTree.flatMap((node) => {
      if (node === undefined) return []
      return [
        toText(
          node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey,
          'hex'
        )
      ]
    })
  )
  for (const { hpkePublicKey } of newcomers) {
    const key = toText(hpkePublicKey, 'hex')
    if (used.has(key)) refuse('an encryption key that is in use')
    used.add(key)
  }
}

interface Proposed {
  readonly added: readonly LeafNode[]
  readonly removed: readonly Member[]
}

/** Splits proposals into leaves that come and members that go; refuses every other kind. */
function readProposals(state: Tree, proposals: readonly Proposal[]): Proposed {
  const added: LeafNode[] = []
  const removed: Member[] = []
  for (const proposal of proposals) {
    if (proposal.proposalType === 'add' && 'add' in proposal) {
      added.push(proposal.add.keyPackage.leafNode)
    } else if (proposal.proposalType === 'remove' && 'remove' in proposal) {
      const leaf = leafAt(state, proposal.remove.removed)
      removed.push(memberOf(leaf ?? refuse('removal of a leaf that is not there')))
    } else refuse('a proposal that is neither an addition nor a removal')
  }
  return { added, removed }
}

/** The committer keeps its account and its device key. */
function requireSameIdentity(before: LeafNode, after: LeafNode): void {
  const isSame =
    before.credential.credentialType === 'basic' &&
    after.credential.credentialType === 'basic' &&
    equals(before.credential.identity, after.credential.identity) &&
    equals(before.signaturePublicKey, after.signaturePublicKey)
  if (!isSame) refuse('a commit that changes who its committer is')
}

/** The commit inside a message and the leaf that sent it, for this group, this epoch and from another member. */
function readCommit(state: ClientState, { content }: PublicMessage) {
  if (content.contentType !== 'commit') refuse('a proposal outside of a commit')
  if (content.sender.senderType !== 'member') refuse('a commit from outside of the group')
  if (!equals(content.groupId, state.groupContext.groupId)) refuse('a commit for another group')
  if (content.epoch !== state.groupContext.epoch) {
    throw new GroupCryptoError('epoch', `a commit for epoch ${content.epoch}`)
  }
  if (content.sender.leafIndex === state.privatePath.leafIndex) refuse('a commit by this device')
  const leaf = leafAt(state, content.sender.leafIndex) ?? refuse('a commit by a blank leaf')
  const proposals = content.commit.proposals.map((item) =>
    item.proposalOrRefType === 'proposal'
      ? item.proposal
      : refuse('a commit that refers to a proposal')
  )
  return { leaf, proposals, path: content.commit.path }
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
  const { leaf, proposals, path } = readCommit(state, message)
  const committer = memberOf(leaf)
  if (!certified(committer)) {
    throw new GroupCryptoError('uncertified', 'a commit by an uncertified device')
  }
  const own = state.privatePath.leafIndex
  const removesSelf = proposals.some((item) => 'remove' in item && item.remove.removed === own)
  // Whoever stays alone draws fresh keys by a PSK that the removed cannot know, and need not.
  const inspected = removesSelf ? proposals.filter((item) => !('psk' in item)) : proposals
  const { added, removed } = readProposals(state, inspected)
  requireAllowed(groupOf(state), { committer, added: added.map(memberOf), removed }, certified)
  // Without a path the removed keep deriving the keys of the next epoch (RFC 9420 §12.4).
  if (path === undefined && (removed.length > 0 || added.length === 0)) {
    refuse('a removal without fresh keys')
  }
  if (path !== undefined) requireSameIdentity(leaf, path.leafNode)
  requireFreshKeys(state, [...added, ...(path === undefined ? [] : [path.leafNode, ...path.nodes])])
  return { removesSelf }
}

/**
 * Checks a group that a welcome led to: known in kind and size, every leaf certified.
 * @throws GroupCryptoError `policy`, `uncertified`
 */
export function requireJoinable(state: ClientState, certified: CertificateCheck): void {
  const { members } = groupOf(state)
  if (members.length > LEAVES_MAX) refuse(`more than ${LEAVES_MAX} devices`)
  if (state.groupContext.groupId.byteLength !== GROUP_ID_BYTES) refuse('a group id of odd length')
  if (!members.every(certified)) {
    throw new GroupCryptoError('uncertified', 'a group with an uncertified member')
  }
}
