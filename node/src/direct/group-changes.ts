// Changes of a direct chat's group: made when an account log has changed, followed when another device made them.
// The group's sequencer decides which commit ends an epoch; a commit without its receipt is refused.
import {
  type AccountId,
  type DeviceId,
  type envelope,
  ProtocolError,
  type RelayId,
  sequencer
} from '@kith/protocols'
import { epochOf, slotTagsOf } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { OpenedChange } from '../delivery/inputs.ts'
import type { MadeChange } from '../delivery/state.ts'
import {
  type CommitResult,
  GroupCryptoError,
  type GroupSnapshot,
  type Member
} from '../groups/group-crypto.ts'
import { decodeReceipt, readReceipt, sequenceRequest } from '../groups/receipts.ts'
import type { PeerAddress } from '../kernel/rpc.ts'
import type { DirectGroupsComponents } from './direct-groups.ts'
import { refusalOf, relaysOf, requireDirect, wrapAll } from './direct-policy.ts'
import { takeKeyPackages } from './key-packages.ts'

export class GroupChanges {
  readonly #components: DirectGroupsComponents

  constructor(components: DirectGroupsComponents) {
    this.#components = components
  }

  /**
   * Brings a group in line with the account logs: leaves that the logs no longer name go first, then own devices
   * that are not in it come. Undefined when it is in line. Nothing has changed before `sequence` says so. Rejects
   * with ProtocolError or GroupCryptoError.
   */
  async change(
    incarnation: Incarnation,
    epoch: EpochState,
    signal: AbortSignal
  ): Promise<MadeChange | undefined> {
    const { crypto, device, directory, primitives } = this.#components
    const revoked = epoch.members.filter(
      (member) => directory.state(member.account) !== undefined && !directory.certified(member)
    )
    const leaving = revoked.map((member) => member.device).filter((id) => id !== device.device)
    const missing = this.#missingDevices(epoch)
    if (leaving.length === 0 && missing.length === 0) return undefined
    const made =
      leaving.length > 0
        ? await crypto.remove(incarnation.state, leaving, directory.certified)
        : await this.#addOwn(incarnation, missing, signal)
    if (made === undefined) return undefined
    const next = epochOf(made.view, primitives)
    return {
      state: made.state,
      epoch: next,
      slots: slotTagsOf(next, primitives),
      commit: made.commit,
      welcomes:
        made.welcome === undefined
          ? []
          : wrapAll(made.welcome, () => device.account, this.#components)
    }
  }

  #missingDevices({ members }: EpochState): readonly DeviceId[] {
    const { device, directory } = this.#components
    const own = directory.state(device.account)?.devices ?? []
    return own
      .map((entry) => entry.device)
      .filter((id) => !members.some((member) => member.device === id))
  }

  async #addOwn(
    { state }: Incarnation,
    missing: readonly DeviceId[],
    signal: AbortSignal
  ): Promise<CommitResult | undefined> {
    const { crypto, device, directory, homes, rpc } = this.#components
    const own = { account: device.account, from: homes, signal }
    const { packages: taken } = await takeKeyPackages(rpc, own)
    const packages: Uint8Array[] = []
    for (const { keyPackage } of taken) {
      const member = await crypto.inspectKeyPackage(keyPackage, directory.certified)
      if (missing.includes(member.device)) packages.push(keyPackage)
    }
    return packages.length === 0
      ? undefined
      : await crypto.add(state, packages, directory.certified)
  }

  /** The sequencer's receipt for this commit; undefined when another commit ended the epoch first. */
  async sequence(
    incarnation: Incarnation,
    commit: Uint8Array,
    signal: AbortSignal
  ): Promise<Uint8Array | undefined> {
    const { primitives, rpc } = this.#components
    const request = sequenceRequest(incarnation, commit, primitives)
    const home = this.#sequencerOf(incarnation)
    const { receipt } = await rpc.request(home, sequencer.sequencerAppend, request, { signal })
    if (receipt === undefined) throw new ProtocolError('malformed', 'no receipt')
    const won = readReceipt(receipt, { relay: home.id, request }, primitives)
    return won ? sequencer.SignedReceipt.encode(receipt) : undefined
  }

  /** The first home of the account that founded the group, by its own log. */
  #sequencerOf({ creator }: Incarnation): PeerAddress & { id: RelayId } {
    const [home] = this.#components.directory.state(creator)?.homes ?? []
    if (home === undefined) throw new ProtocolError('unreachable', 'the group has no sequencer')
    return { id: home.relay, addresses: home.addresses }
  }

  /** What a commit leads to, if the sequencer put it first and policy allows it. See `openAll` for rejections. */
  async openCommit(
    { commit, receipt }: envelope.GroupCommit,
    incarnation: Incarnation,
    members: readonly Member[]
  ): Promise<OpenedChange> {
    const { primitives } = this.#components
    try {
      const request = sequenceRequest(incarnation, commit, primitives)
      const { id: relay } = this.#sequencerOf(incarnation)
      if (!readReceipt(decodeReceipt(receipt), { relay, request }, primitives)) {
        return { type: 'refused', reason: 'another change came first' }
      }
      const snapshot = await this.#process(incarnation, commit)
      const isStaying = (id: DeviceId) => snapshot.view.members.some(({ device }) => device === id)
      await this.#requireLeft(members.filter(({ device }) => !isStaying(device)))
      const epoch = epochOf(snapshot.view, primitives)
      const slots = slotTagsOf(epoch, primitives)
      return { type: 'applied', group: { state: snapshot.state, epoch, slots } }
    } catch (error) {
      if (error instanceof GroupCryptoError && error.code === 'removed') {
        return await this.#removed()
      }
      return { type: 'refused', reason: refusalOf(error) }
    }
  }

  /** This device is out of the group only if its account's log says so too. */
  async #removed(): Promise<OpenedChange> {
    try {
      await this.#requireLeft([this.#components.device])
      return { type: 'removed' }
    } catch (error) {
      return { type: 'refused', reason: refusalOf(error) }
    }
  }

  /** Nobody puts out of a direct chat whom the account's own log names, not even who founded it. */
  async #requireLeft(removed: readonly Member[]): Promise<void> {
    const { directory } = this.#components
    for (const member of removed) {
      const { account } = member
      if (directory.certified(member)) {
        await directory.refresh(account, relaysOf(this.#components, account))
      }
      if (directory.certified(member)) {
        throw new GroupCryptoError('policy', 'it removes a device that its account still names')
      }
    }
  }

  /** A commit may rest on newer account logs than are known here: then they are fetched and it is tried again. */
  async #process({ state }: Incarnation, commit: Uint8Array): Promise<GroupSnapshot> {
    const { crypto, device, directory } = this.#components
    const asked = new Set<AccountId>()
    const collect = (member: Member): boolean => {
      asked.add(member.account)
      return directory.certified(member)
    }
    try {
      return requireDirect(await crypto.process(state, commit, collect), device.account)
    } catch (error) {
      const isStale =
        error instanceof GroupCryptoError && ['uncertified', 'policy'].includes(error.code)
      if (!isStale) throw error
    }
    for (const account of asked)
      await directory.refresh(account, relaysOf(this.#components, account))
    return requireDirect(await crypto.process(state, commit, directory.certified), device.account)
  }
}
