// The symbolic twin of MLS, for simulations: the same port, policy and outcomes, no public-key cryptography.
// Everything it makes carries a MAC under a key that only twins of one seed share, so nothing can be forged by
// construction, and a group costs microseconds. It keeps no secret from whoever reads its bytes: never for real.
import type { AccountId, DeviceId } from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import type { Primitives } from '../kernel/primitives.ts'
import {
  type CommitResult,
  type GroupCrypto,
  GroupCryptoError,
  type GroupSnapshot,
  type KeyPackagePair,
  type LocalDevice,
  type Member
} from './group-crypto.ts'
import {
  AUTHENTICATOR_BYTES,
  COMMIT_BYTES_MAX,
  GROUP_ID_BYTES,
  KEY_PACKAGE_BYTES_MAX,
  WELCOME_BYTES_MAX
} from './limits.ts'
import { refuse, requireAllowed, requireRemovable } from './membership.ts'
import { createSymbolicCodec, type SymbolicCodec } from './symbolic-codec.ts'

interface Package {
  readonly member: Member
  readonly lastResort: boolean
  readonly serial: number
}

interface Secret {
  readonly member: Member
  /** Hexadecimal. */
  readonly reference: string
}

interface Group {
  /** Hexadecimal. */
  readonly groupId: string
  readonly epoch: number
  readonly creator: AccountId
  readonly members: readonly Member[]
  /** Hexadecimal; names the epoch with all that led to it. */
  readonly head: string
}

interface State {
  readonly own: Member
  readonly group: Group
}

interface Commit {
  readonly groupId: string
  readonly epoch: number
  /** Head of the epoch that it ends. */
  readonly parent: string
  readonly committer: Member
  readonly added: readonly Member[]
  readonly removed: readonly DeviceId[]
  /** Two commits by one device for one epoch lead to different epochs. */
  readonly serial: number
}

interface Welcome {
  readonly references: readonly string[]
  readonly group: Group
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER
const encoder = new TextEncoder()
const hex = (bytes: Uint8Array): string => toText(bytes, 'hex')
const memberOf = ({ account, device }: LocalDevice): Member => ({ account, device })
const isSame = (a: Member, b: Member): boolean => a.account === b.account && a.device === b.device

/** Applies a commit whose rights have been checked. */
function advance(group: Group, commit: Commit, head: string): Group {
  const staying = group.members.filter(({ device }) => !commit.removed.includes(device))
  const members = [...staying, ...commit.added]
  return { ...group, epoch: group.epoch + 1, members, head }
}

export interface SymbolicInit {
  readonly primitives: Primitives
  /** Twins of one seed understand each other. */
  readonly seed: Uint8Array
}

/** A twin. Serial numbers make what it creates differ from call to call, and alike from run to run. */
export function createSymbolicCrypto({ primitives, seed }: SymbolicInit): GroupCrypto {
  const codec: SymbolicCodec = createSymbolicCodec({ primitives, seed })
  let serial = 0

  const derive = (what: string, ...parts: readonly string[]): Uint8Array =>
    codec.derive(encoder.encode([what, ...parts].join(' ')))

  function snapshot(own: Member, group: Group): GroupSnapshot {
    const { groupId, epoch, creator, members, head } = group
    return {
      state: codec.encode('state', { own, group } satisfies State),
      view: {
        groupId: fromString(groupId, 'hex'),
        epoch,
        creator,
        members,
        authenticator: derive('authenticator', head).slice(0, AUTHENTICATOR_BYTES),
        archiveKey: derive('archive', head)
      }
    }
  }

  const readState = (bytes: Uint8Array) => codec.decode<State>('state', bytes, NO_LIMIT)
  const readPackage = (bytes: Uint8Array) =>
    codec.decode<Package>('key package', bytes, KEY_PACKAGE_BYTES_MAX)
  const headAfter = (commit: Uint8Array) => hex(derive('head', hex(primitives.sha256(commit))))

  function makeCommit(
    { own, group }: State,
    change: { added: readonly Package[]; removed: readonly Member[]; references: readonly string[] }
  ): CommitResult {
    serial += 1
    const { groupId, epoch, head: parent } = group
    const added = change.added.map(({ member }) => member)
    const removed = change.removed.map(({ device }) => device)
    const content: Commit = { groupId, epoch, parent, committer: own, added, removed, serial }
    const commit = codec.encode('commit', content)
    const next = advance(group, content, headAfter(commit))
    const { references } = change
    const welcome: Welcome | undefined =
      references.length === 0 ? undefined : { references, group: next }
    return {
      ...snapshot(own, next),
      commit,
      welcome: welcome && codec.encode('welcome', welcome)
    }
  }

  /** The group after a commit that passed every check, for the member `own`. */
  function applyCommit(
    { own, group }: State,
    options: { bytes: Uint8Array; certified: (member: Member) => boolean }
  ): Group {
    const commit = codec.decode<Commit>('commit', options.bytes, COMMIT_BYTES_MAX)
    const { certified } = options
    if (commit.groupId !== group.groupId) refuse('a commit for another group')
    if (commit.epoch !== group.epoch) {
      throw new GroupCryptoError('epoch', `a commit for epoch ${commit.epoch}`)
    }
    if (isSame(commit.committer, own)) refuse('a commit by this device')
    if (commit.parent !== group.head) {
      throw new GroupCryptoError('malformed', 'a commit on another branch')
    }
    if (!certified(commit.committer)) {
      throw new GroupCryptoError('uncertified', 'a commit by an uncertified device')
    }
    const removed = group.members.filter(({ device }) => commit.removed.includes(device))
    const { committer, added } = commit
    requireAllowed(group, { committer, added, removed }, certified)
    if (removed.some((member) => isSame(member, own))) {
      throw new GroupCryptoError('removed', 'this device was removed from the group')
    }
    return advance(group, commit, headAfter(options.bytes))
  }

  return {
    async createKeyPackage(device, options): Promise<KeyPackagePair> {
      serial += 1
      const member = memberOf(device)
      const lastResort = options?.lastResort ?? false
      const keyPackage = codec.encode('key package', { member, lastResort, serial } as Package)
      const reference = primitives.sha256(keyPackage)
      const secret: Secret = { member, reference: hex(reference) }
      return { keyPackage, secret: codec.encode('secret', secret), reference }
    },

    async inspectKeyPackage(bytes, certified) {
      const { member } = readPackage(bytes)
      if (!certified(member)) {
        throw new GroupCryptoError('uncertified', 'a key package of an uncertified device')
      }
      return member
    },

    async create(device, groupId) {
      if (groupId.byteLength !== GROUP_ID_BYTES) {
        throw new GroupCryptoError('malformed', `a group id has ${GROUP_ID_BYTES} bytes`)
      }
      serial += 1
      const own = memberOf(device)
      const head = hex(derive('group', hex(groupId), own.device, String(serial)))
      return snapshot(own, {
        groupId: hex(groupId),
        epoch: 0,
        creator: own.account,
        members: [own],
        head
      })
    },

    async add(bytes, packages, certified) {
      const state = readState(bytes)
      const added = packages.map(readPackage)
      if (added.length === 0) refuse('nobody to add')
      const members = added.map(({ member }) => member)
      if (!members.every(certified)) {
        throw new GroupCryptoError('uncertified', 'a key package of an uncertified device')
      }
      const change = { committer: state.own, added: members, removed: [] }
      requireAllowed(state.group, change, certified)
      const references = packages.map((each) => hex(primitives.sha256(each)))
      return makeCommit(state, { added, removed: [], references })
    },

    async remove(bytes, devices, certified) {
      const state = readState(bytes)
      const removed = requireRemovable(state.group.members, { devices, own: state.own })
      requireAllowed(state.group, { committer: state.own, added: [], removed }, certified)
      return makeCommit(state, { added: [], removed, references: [] })
    },

    welcomeReferences: (bytes) =>
      codec
        .decode<Welcome>('welcome', bytes, WELCOME_BYTES_MAX)
        .references.map((reference) => fromString(reference, 'hex')),

    async join(bytes, secretBytes, certified) {
      const { references, group } = codec.decode<Welcome>('welcome', bytes, WELCOME_BYTES_MAX)
      const secret = codec.decode<Secret>('secret', secretBytes, KEY_PACKAGE_BYTES_MAX)
      if (!references.includes(secret.reference)) {
        throw new GroupCryptoError('malformed', 'a welcome for somebody else')
      }
      if (!group.members.every(certified)) {
        throw new GroupCryptoError('uncertified', 'a group with an uncertified member')
      }
      return snapshot(secret.member, group)
    },

    async process(bytes, commit, certified) {
      const state = readState(bytes)
      return snapshot(state.own, applyCommit(state, { bytes: commit, certified }))
    }
  }
}
