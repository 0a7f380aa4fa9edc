// Devices that can be met without a relay: who is connected or seen on the local network, and whether it is one of
// those that something could be for.
import { type AccountId, ADDRESSES_MAX, type DeviceId } from '@kith/protocols'
import type { Contacts } from './contacts/contacts.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { DeliveryState } from './delivery/state.ts'
import type { Network } from './kernel/network.ts'

export interface NeighboursComponents {
  readonly network: Pick<Network, 'addresses' | 'onConnection' | 'onDiscovery'>
  readonly delivery: Delivery
  readonly contacts: Contacts
}

export class Neighbours {
  readonly #components: NeighboursComponents
  readonly #self: AccountId
  /** Accounts that groups name for each device, and what they were read from. */
  readonly #accounts = new Map<DeviceId, Set<AccountId>>()
  #indexed: DeliveryState['tags'] | undefined

  constructor(components: NeighboursComponents, self: AccountId) {
    this.#components = components
    this.#self = self
  }

  /** Has delivery told of members that connect or are seen near, until the returned function is called. */
  listen(): () => void {
    const { delivery, network } = this.#components
    const unlisten = [
      network.onConnection(({ peer, connected }) => {
        if (connected && this.#isMember(peer)) delivery.devices.connected(peer)
      }),
      network.onDiscovery(({ peer, addresses }) => {
        if (this.#isMember(peer)) delivery.devices.learn(peer, addresses)
      })
    ]
    return () => {
      for (const stop of unlisten) stop()
    }
  }

  /** Whether a device is of this account or of a contact, as far as groups say. Cheap: asked for each connection. */
  isOfContact(device: DeviceId): boolean {
    const { contacts } = this.#components
    return this.#isMember(
      device,
      (account) => account === this.#self || contacts.isContact(account)
    )
  }

  /** Whether a device is of an account that the user has blocked, as far as groups say. */
  isOfBlocked(device: DeviceId): boolean {
    const { contacts } = this.#components
    return this.#isMember(device, (account) => contacts.get(account)?.blocked === true)
  }

  /** Multiaddrs of this device as they are told to others: without the PeerId, which they know. */
  addresses(): readonly string[] {
    const { network } = this.#components
    const addresses = network.addresses().map((address) => address.split('/p2p/')[0])
    return addresses.filter((address) => address !== undefined).slice(0, ADDRESSES_MAX)
  }

  #isMember(device: DeviceId, holds: (account: AccountId) => boolean = () => true): boolean {
    this.#index()
    return [...(this.#accounts.get(device) ?? [])].some(holds)
  }

  /** Every epoch that is added makes a new map of them. */
  #index(): void {
    const { tags } = this.#components.delivery.state
    if (tags === this.#indexed) return
    this.#indexed = tags
    this.#accounts.clear()
    for (const { epoch } of tags.values()) {
      for (const { device, account } of epoch.members) {
        const accounts = this.#accounts.get(device) ?? new Set()
        this.#accounts.set(device, accounts.add(account))
      }
    }
  }
}
