// Changes of a direct chat's group: made when an account log has changed, followed when another device made them.
// The group's sequencer decides which commit ends an epoch; a commit without its receipt is refused.
import type { AccountId, DeviceId, envelope } from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import { epochOf, slotTagsOf } from '../conversations/epoch.ts'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { MadeChange, OpenedChange } from '../delivery/state.ts'
import {
  type CommitResult,
  GroupCryptoError,
  type GroupSnapshot,
  type Member
} from '../groups/group-crypto.ts'
import { decodeReceipt, nextOf, readReceipt, sequencedCommit } from '../groups/receipts.ts'
import type { DirectGroupsComponents } from './direct-groups.ts'
import { refusalOf, relaysOf, requireDirect, sequencerOf, wrapAll } from './direct-policy.ts'
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

  /**
   * What a commit leads to, if the sequencer put it first and policy allows it. A refused one that has its receipt
   * ends the group: no other can come after it. See `openAll` for rejections.
   */
  async openCommit(
    { commit, receipt }: envelope.GroupCommit,
    incarnation: Incarnation,
    members: readonly Member[]
  ): Promise<OpenedChange> {
    const { primitives } = this.#components
    let isFirst = false
    try {
      const { id: relay } = sequencerOf(incarnation, this.#components)
      const fields = readReceipt(decodeReceipt(receipt), { relay, ended: incarnation }, primitives)
      if (!equals(fields.commit, sequencedCommit(commit, primitives))) {
        return { type: 'refused', reason: 'another change came first', endsGroup: false }
      }
      isFirst = true
      const snapshot = await this.#process(incarnation, commit)
      const isStaying = (id: DeviceId) => snapshot.view.members.some(({ device }) => device === id)
      await this.#requireLeft(members.filter(({ device }) => !isStaying(device)))
      const epoch = epochOf(snapshot.view, primitives)
      if (!equals(fields.next, nextOf(epoch, primitives))) {
        throw new GroupCryptoError('policy', 'nobody could ever change the group again')
      }
      const slots = slotTagsOf(epoch, primitives)
      return { type: 'applied', group: { state: snapshot.state, epoch, slots } }
    } catch (error) {
      if (error instanceof GroupCryptoError && error.code === 'removed') {
        return await this.#removed()
      }
      return { type: 'refused', reason: refusalOf(error), endsGroup: isFirst }
    }
  }

  /** This device is out of the group only if its account's log says so too. */
  async #removed(): Promise<OpenedChange> {
    try {
      await this.#requireLeft([this.#components.device])
      return { type: 'removed' }
    } catch (error) {
      return { type: 'refused', reason: refusalOf(error), endsGroup: false }
    }
  }

  /** Nobody puts out of a direct chat whom the account's own log names, not even who founded it. */
  async #requireLeft(removed: readonly Member[]): Promise<void> {
    const { directory } = this.#components
    for (const member of removed) {
      const { account } = member
      if (directory.certified(member)) {
        const relays = relaysOf(this.#components, account)
        await directory.refreshUntil(account, relays, () => !directory.certified(member))
      }
      if (directory.certified(member)) {
        throw new GroupCryptoError('policy', 'it removes a device that its account still names')
      }
    }
  }

  /** A commit may rest on newer account logs than are known here: then they are fetched and it is tried again. */
  async #process({ state }: Incarnation, commit: Uint8Array): Promise<GroupSnapshot> {
    const { crypto, device, directory } = this.#components
    const asked = new Map<AccountId, Member[]>()
    const collect = (member: Member): boolean => {
      asked.set(member.account, [...(asked.get(member.account) ?? []), member])
      return directory.certified(member)
    }
    let isPolicy = false
    try {
      return requireDirect(await crypto.process(state, commit, collect), device.account)
    } catch (error) {
      const isStale =
        error instanceof GroupCryptoError && ['uncertified', 'policy'].includes(error.code)
      if (!isStale) throw error
      isPolicy = error.code === 'policy'
    }
    for (const [account, members] of asked) {
      const isEnough = () => !isPolicy && members.every(directory.certified)
      await directory.refreshUntil(account, relaysOf(this.#components, account), isEnough)
    }
    return requireDirect(await crypto.process(state, commit, directory.certified), device.account)
  }
}
