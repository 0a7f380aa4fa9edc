// The port to group key agreement (MLS, RFC 9420). Two implementations pass one suite: ts-mls for real, and a
// symbolic twin for the simulator. States are opaque bytes: what a caller stores is all there is.
import type { AccountId, DeviceId } from '@kith/protocols'

/** A leaf of the group: which device, of which account. Proven by the account's log. */
export interface Member {
  readonly account: AccountId
  readonly device: DeviceId
}

/** The device that acts: its identity and its Ed25519 seed (32 bytes). */
export interface LocalDevice extends Member {
  readonly privateKey: Uint8Array
}

/**
 * Says whether a device belongs to an account by that account's log, as far as this device knows it. The
 * implementation refuses every credential that this refuses.
 */
export type CertificateCheck = (member: Member) => boolean

export interface KeyPackagePair {
  /** Encoded MLS KeyPackage, to publish. */
  readonly keyPackage: Uint8Array
  /** Private halves, encoded; stays on this device. */
  readonly secret: Uint8Array
  /** 32 bytes, the MLS KeyPackageRef. Its first 16 bytes tag the envelope of a welcome. */
  readonly reference: Uint8Array
}

export interface GroupView {
  readonly groupId: Uint8Array
  readonly epoch: number
  /** The account that created the group, fixed by every member's keys. */
  readonly creator: AccountId
  /** Leaves in tree order. */
  readonly members: readonly Member[]
  /** First 8 bytes of the epoch authenticator. */
  readonly authenticator: Uint8Array
  /** 32 bytes, exporter("archive"): key of all envelopes of this epoch. */
  readonly archiveKey: Uint8Array
}

export interface GroupSnapshot {
  /** Everything needed to go on, encoded. Secret. */
  readonly state: Uint8Array
  readonly view: GroupView
}

export interface CommitResult extends GroupSnapshot {
  /** Encoded MLS message for the members before the change. */
  readonly commit: Uint8Array
  /** Encoded Welcome for those added; absent when nobody was. */
  readonly welcome: Uint8Array | undefined
}

/**
 * The other side's bytes are not acceptable: malformed, uncertified, against policy, from a wrong epoch.
 * `removed`: an acceptable commit that ends this device's membership; its state gives no later epoch.
 * `uncertified` and `policy` may only mean that this device's copy of an account log is old: fetch it, try again.
 */
export class GroupCryptoError extends Error {
  override readonly name = 'GroupCryptoError'
  readonly code: 'malformed' | 'uncertified' | 'policy' | 'epoch' | 'removed'

  constructor(code: GroupCryptoError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * Policy that every implementation enforces, on what it makes and on receipt: credentials must pass `certified`;
 * no external commit; no proposal that arrives outside its commit, nor any but additions and removals; a commit
 * may add or remove leaves only of the committer's own account, or remove a leaf that `certified` no longer
 * accepts, unless the committer's account created the group; no leaf changes whose it is; every removal brings
 * fresh keys that the removed cannot derive. States given in are never altered: a commit that is not accepted
 * elsewhere is undone by going on with the state before it.
 */
export interface GroupCrypto {
  createKeyPackage(device: LocalDevice, options?: { lastResort?: boolean }): Promise<KeyPackagePair>
  /** The member an encoded key package speaks for; rejects unless signature and certificate hold. */
  inspectKeyPackage(keyPackage: Uint8Array, certified: CertificateCheck): Promise<Member>
  /** A group of this device alone, at epoch 0. `groupId` is 32 bytes. */
  create(device: LocalDevice, groupId: Uint8Array): Promise<GroupSnapshot>
  /** Adds leaves in one commit. Fresh keys (a path) come with it only where RFC 9420 §12.4 asks for them. */
  add(
    state: Uint8Array,
    keyPackages: readonly Uint8Array[],
    certified: CertificateCheck
  ): Promise<CommitResult>
  /** Removes leaves, never this device's own, in one commit with fresh keys. */
  remove(
    state: Uint8Array,
    devices: readonly DeviceId[],
    certified: CertificateCheck
  ): Promise<CommitResult>
  /** References (32 bytes each) of the key packages that a welcome is for. */
  welcomeReferences(welcome: Uint8Array): readonly Uint8Array[]
  join(welcome: Uint8Array, secret: Uint8Array, certified: CertificateCheck): Promise<GroupSnapshot>
  /**
   * Applies another member's commit; rejects with `epoch` when it is not for this state's epoch, with `removed`
   * when it removes this device.
   */
  process(
    state: Uint8Array,
    commit: Uint8Array,
    certified: CertificateCheck
  ): Promise<GroupSnapshot>
}
