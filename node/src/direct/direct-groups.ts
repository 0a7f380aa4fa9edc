// The groups of direct chats: founded towards a peer who may be asleep, joined when a peer founded one. Who may
// be in one is decided here: the two accounts of the chat and nobody else.
import { type AccountId, type envelope, idBytes, keyPackages, ProtocolError } from '@kith/protocols'
import type { Contacts } from '../contacts/contacts.ts'
import type { Directory } from '../contacts/directory.ts'
import { epochOf, slotTagsOf } from '../conversations/epoch.ts'
import { unwrapWelcome, wrapWelcome } from '../conversations/welcome.ts'
import { isTemporary } from '../delivery/opening.ts'
import type { Opened, StartedGroup } from '../delivery/state.ts'
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

const GROUP_ID_BYTES = 32

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

  constructor(components: DirectGroupsComponents) {
    this.#components = components
  }

  /**
   * Founds a group with every device of the peer, from key packages its home hands out. Rejects with
   * ProtocolError; nothing is left behind but a consumed key package.
   */
  async start(peer: AccountId, signal: AbortSignal): Promise<StartedGroup> {
    const { crypto, directory, primitives, random, device } = this.#components
    const relays = this.#relaysOf(peer)
    const account = await directory.refresh(peer, relays, signal)
    const taken = await this.#take(peer, relays, signal)
    const packages = await this.#certifiedPackages(peer, taken)
    if (packages.length === 0) {
      throw new ProtocolError('unavailable', 'the contact has no device that can be reached')
    }
    const missing = account.devices.length - packages.length
    if (missing > 0)
      throw new ProtocolError('unavailable', `${missing} devices without key package`)
    const created = await crypto.create(device, random.bytes(GROUP_ID_BYTES))
    const added = await crypto.add(created.state, packages, directory.certified)
    const { welcome } = added
    if (welcome === undefined) throw new ProtocolError('internal', 'no welcome was made')
    const epoch = epochOf(added.view, primitives)
    return {
      snapshot: added,
      epoch,
      slots: slotTagsOf(epoch, primitives),
      welcomes: crypto
        .welcomeReferences(welcome)
        .map((reference) => wrapWelcome({ welcome, reference }, { primitives, random }))
    }
  }

  async #take(
    peer: AccountId,
    relays: readonly PeerAddress[],
    signal: AbortSignal
  ): Promise<readonly keyPackages.DevicePackage[]> {
    const [home] = relays
    if (home === undefined) throw new ProtocolError('unreachable', 'the contact has no home relay')
    const request = { account: idBytes(peer) }
    const { rpc } = this.#components
    return (await rpc.request(home, keyPackages.keyPackagesTake, request, { signal })).packages
  }

  /** One package for each device of the peer's log; a package of anybody else's device is the relay's lie. */
  async #certifiedPackages(
    peer: AccountId,
    taken: readonly keyPackages.DevicePackage[]
  ): Promise<readonly Uint8Array[]> {
    const { crypto, directory } = this.#components
    const byDevice = new Map<string, Uint8Array>()
    for (const { keyPackage } of taken) {
      const member = await crypto.inspectKeyPackage(keyPackage, directory.certified)
      if (member.account !== peer) throw new ProtocolError('forbidden', 'a foreign key package')
      byDevice.set(member.device, keyPackage)
    }
    return [...byDevice.values()]
  }

  /** Joins with a welcome that may be for one of our key packages. See `openAll` for what it rejects with. */
  async openWelcome(sealed: envelope.Envelope): Promise<Opened> {
    const held = await this.#components.keyPackages.find(sealed.epochTag)
    const welcome = held === undefined ? undefined : unwrapWelcome(sealed)
    if (held === undefined || welcome === undefined) return { type: 'unknown-tag' }
    try {
      const snapshot = await this.#join(welcome, held.secret)
      const epoch = epochOf(snapshot.view, this.#components.primitives)
      const slots = slotTagsOf(epoch, this.#components.primitives)
      return { type: 'joined', snapshot, epoch, slots, writes: held.consume }
    } catch (error) {
      return { type: 'refused', reason: refusalOf(error) }
    }
  }

  /** Two passes: the first finds out which logs are needed to judge the members, the second judges them. */
  async #join(welcome: Uint8Array, secret: Uint8Array): Promise<GroupSnapshot> {
    const { crypto, directory } = this.#components
    const unknown = new Set<AccountId>()
    const collect = (member: Member): boolean => {
      const known = directory.certified(member)
      if (!known) unknown.add(member.account)
      return known
    }
    try {
      return this.#requireDirect(await crypto.join(welcome, secret, collect))
    } catch (error) {
      const isUncertified = error instanceof GroupCryptoError && error.code === 'uncertified'
      if (!isUncertified || unknown.size === 0) throw error
    }
    for (const account of unknown) await directory.refresh(account, this.#relaysOf(account))
    return this.#requireDirect(await crypto.join(welcome, secret, directory.certified))
  }

  #requireDirect(snapshot: GroupSnapshot): GroupSnapshot {
    const self = this.#components.device.account
    const accounts = new Set(snapshot.view.members.map(({ account }) => account))
    if (accounts.size !== 2 || !accounts.has(self)) {
      throw new GroupCryptoError('policy', 'a direct chat has exactly two accounts')
    }
    return snapshot
  }

  /** Where to ask about an account: its own relays as far as known, then ours. */
  #relaysOf(account: AccountId): readonly PeerAddress[] {
    const { contacts, directory, homes } = this.#components
    const logged = directory.state(account)?.homes ?? []
    const linked = contacts.get(account)?.relays ?? []
    const byId = new Map<string, PeerAddress>()
    for (const { relay, addresses } of [...linked, ...logged])
      byId.set(relay, { id: relay, addresses })
    const own = homes.filter(({ id }) => !byId.has(id))
    return [...byId.values(), ...own]
  }
}

/** What to tell the user; rethrows what may work later. */
function refusalOf(error: unknown): string {
  if (isTemporary(error)) throw error
  if (error instanceof GroupCryptoError)
    return `An invitation to a chat was refused: ${error.message}.`
  if (error instanceof ProtocolError) {
    return `An invitation to a chat was refused: its sender's account log is ${error.code}.`
  }
  throw error
}
