// The groups of direct chats: founded towards a peer who may be asleep, joined when a peer founded one. Who may
// be in one is decided here: the two accounts of the chat and nobody else.
import {
  type AccountId,
  type DeviceId,
  type envelope,
  type keyPackages,
  ProtocolError,
  publicKeyOf
} from '@kith/protocols'
import { equals } from 'uint8arrays/equals'
import type { Contacts } from '../contacts/contacts.ts'
import type { Directory } from '../contacts/directory.ts'
import { epochOf, slotTagsOf } from '../conversations/epoch.ts'
import { unwrapWelcome } from '../conversations/welcome.ts'
import { FalseAnswer } from '../delivery/false-answer.ts'
import type { Opened, StartedGroup } from '../delivery/inputs.ts'
import { isTemporary } from '../delivery/opening.ts'
import {
  type GroupCrypto,
  GroupCryptoError,
  type GroupSnapshot,
  type LocalDevice,
  type Member
} from '../groups/group-crypto.ts'
import type { KeyPackageStore } from '../groups/key-package-store.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import { refusalOf, relaysOf, requireDirect, wrapAll } from './direct-policy.ts'
import { GroupChanges } from './group-changes.ts'
import { takeKeyPackages } from './key-packages.ts'
import { Sequencing } from './sequencing.ts'

const GROUP_ID_BYTES = 32
/** Of a direct chat: logs of more are not asked for. */
const ACCOUNTS_MAX = 2

export interface DirectGroupsComponents {
  readonly rpc: Rpc
  readonly crypto: GroupCrypto
  readonly primitives: Primitives
  readonly random: Random
  readonly device: LocalDevice
  readonly directory: Directory
  readonly contacts: Contacts
  readonly keyPackages: KeyPackageStore
  /** This account's home relays. */
  readonly homes: readonly PeerAddress[]
}

export class DirectGroups {
  readonly #components: DirectGroupsComponents

  /** Changes of a group's members: made here, or followed. */
  readonly change: GroupChanges['change']
  readonly sequence: Sequencing['sequence']
  readonly decided: Sequencing['decided']
  readonly decides: Sequencing['decides']
  readonly openCommit: GroupChanges['openCommit']

  constructor(components: DirectGroupsComponents) {
    this.#components = components
    const changes = new GroupChanges(components)
    this.change = changes.change.bind(changes)
    const sequencing = new Sequencing(components, changes)
    this.sequence = sequencing.sequence.bind(sequencing)
    this.decided = sequencing.decided.bind(sequencing)
    this.decides = sequencing.decides.bind(sequencing)
    this.openCommit = changes.openCommit.bind(changes)
  }

  /**
   * Founds a group with every device of the peer, from key packages its home hands out. Rejects with
   * ProtocolError, or with FalseAnswer when what a relay served is not the peer's; nothing is left behind but a
   * consumed key package.
   */
  async start(peer: AccountId, signal: AbortSignal): Promise<StartedGroup> {
    const { crypto, directory, primitives, random, device } = this.#components
    const relays = relaysOf(this.#components, peer)
    const account = await directory.refresh(peer, relays, signal).catch(rethrowFalseLog)
    const taken = await takeKeyPackages(this.#components.rpc, {
      account: peer,
      from: relays,
      signal
    })
    const packages = await this.#certifiedPackages(peer, taken.packages)
    if (packages.length === 0) {
      throw new ProtocolError('unavailable', 'the contact has no device that can be reached')
    }
    const missing = account.devices.length - packages.length
    if (missing > 0)
      throw new ProtocolError('unavailable', `${missing} devices without key package`)
    const created = await crypto.create(device, random.bytes(GROUP_ID_BYTES))
    const own = await this.#ownPackages(taken.from, signal)
    const added = await crypto.add(created.state, [...packages, ...own], directory.certified)
    const { welcome } = added
    if (welcome === undefined) throw new ProtocolError('internal', 'no welcome was made')
    const epoch = epochOf(added.view, primitives)
    return {
      snapshot: added,
      epoch,
      slots: slotTagsOf(epoch, primitives),
      welcomes: wrapAll(
        welcome,
        await this.#accountsOf(created.state, { peer, packages, own }),
        this.#components
      )
    }
  }

  /**
   * Packages of this account's other devices: in the group from its first message on, they read all of it. While a
   * relay answers, they are waited for. Only with no relay to ask does the chat begin without them: they are added
   * when one is back, and do not read what came before.
   */
  async #ownPackages(answered: PeerAddress, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const { device, directory, homes, rpc } = this.#components
    if ((directory.state(device.account)?.devices.length ?? 0) < 2) return []
    try {
      const taken = await takeKeyPackages(rpc, { account: device.account, from: homes, signal })
      const others = taken.packages.filter((one) => !equals(one.device, publicKeyOf(device.device)))
      return await this.#certifiedPackages(device.account, others)
    } catch (error) {
      if (isTemporary(error) && this.#isDevice(answered)) return []
      throw error
    }
  }

  /** Whether it was no relay that answered, but a device that a contact link named. */
  #isDevice({ id }: PeerAddress): boolean {
    const { contacts } = this.#components
    return contacts.list().some(({ devices }) => devices.some(({ device }) => device === id))
  }

  /** Whose device a reference in the welcome stands for: those of a welcome to the peer alone are the peer's. */
  async #accountsOf(
    state: Uint8Array,
    added: { peer: AccountId; packages: readonly Uint8Array[]; own: readonly Uint8Array[] }
  ): Promise<(reference: Uint8Array) => AccountId> {
    const { crypto, device, directory } = this.#components
    const { own, packages, peer } = added
    if (own.length === 0) return () => peer
    const { welcome } = await crypto.add(state, packages, directory.certified)
    const references = welcome === undefined ? [] : crypto.welcomeReferences(welcome)
    return (reference) => (references.some((one) => equals(one, reference)) ? peer : device.account)
  }

  /** One package for each device of the peer's log; a package of anybody else's device is the relay's lie. */
  async #certifiedPackages(
    peer: AccountId,
    taken: readonly keyPackages.DevicePackage[]
  ): Promise<readonly Uint8Array[]> {
    const { crypto, directory } = this.#components
    const byDevice = new Map<string, Uint8Array>()
    for (const { keyPackage } of taken) {
      const member = await crypto
        .inspectKeyPackage(keyPackage, directory.certified)
        .catch(rethrowFalseKeys)
      if (member.account !== peer) throw new FalseAnswer('false-keys', 'a foreign key package')
      byDevice.set(member.device, keyPackage)
    }
    return [...byDevice.values()]
  }

  /** Joins with a welcome that may be for one of our key packages. */
  async openWelcome(sealed: envelope.Envelope): Promise<Opened> {
    const held = await this.#components.keyPackages.find(sealed.epochTag)
    const { primitives } = this.#components
    const welcome = held && unwrapWelcome(sealed, held.reference, primitives)
    if (held === undefined || welcome === undefined) return { type: 'unknown-tag' }
    try {
      const snapshot = await this.#join(welcome, held.secret)
      const epoch = epochOf(snapshot.view, primitives)
      const slots = slotTagsOf(epoch, primitives)
      return { type: 'joined', snapshot, epoch, slots, writes: held.consume }
    } catch (error) {
      // Not awaited here: whoever names an account that nobody can find would hold up everybody else.
      if (isTemporary(error)) return { type: 'unknown-tag', postponed: true }
      return {
        type: 'refused',
        reason: `An invitation to a chat was refused: ${refusalOf(error)}.`
      }
    }
  }

  /**
   * A pass for each account whose log is needed to judge the members, and one that judges them: a pass stops at the
   * first member that it does not know.
   */
  async #join(welcome: Uint8Array, secret: Uint8Array): Promise<GroupSnapshot> {
    const { crypto, device, directory } = this.#components
    const asked = new Set<AccountId>()
    for (;;) {
      const unknown = new Map<AccountId, PeerAddress[]>()
      const collect = (member: Member): boolean => {
        const known = directory.certified(member)
        // Who is unknown may be connected to this device right now, and can be asked itself.
        const itself = { id: member.device, addresses: [] }
        if (!known) unknown.set(member.account, [...(unknown.get(member.account) ?? []), itself])
        return known
      }
      try {
        return requireDirect(await crypto.join(welcome, secret, collect), device.account)
      } catch (error) {
        const isUncertified = error instanceof GroupCryptoError && error.code === 'uncertified'
        const fresh = [...unknown].filter(([account]) => !asked.has(account))
        const room = ACCOUNTS_MAX - asked.size
        if (!isUncertified || fresh.length === 0 || fresh.length > room) throw error
        for (const [account, devices] of fresh) {
          asked.add(account)
          const relays = [...relaysOf(this.#components, account), ...devices]
          const members = devices.map(({ id }) => ({ account, device: id as DeviceId }))
          await directory.refreshUntil(account, relays, () => members.every(directory.certified))
        }
      }
    }
  }
}

/** What does not verify, or does not follow what is known, is no answer of an honest relay. */
function rethrowFalseLog(error: unknown): never {
  const isFalse =
    error instanceof ProtocolError && ['malformed', 'forbidden', 'conflict'].includes(error.code)
  throw isFalse ? new FalseAnswer('false-log', error) : error
}

function rethrowFalseKeys(error: unknown): never {
  throw error instanceof GroupCryptoError ? new FalseAnswer('false-keys', error) : error
}
