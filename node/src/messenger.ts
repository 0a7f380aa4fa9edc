// The messenger: builds every component in order and is the one place that knows them all. What a user interface
// may do with it is MessengerApi.
import {
  type AccountId,
  ADDRESSES_MAX,
  box,
  type ConversationId,
  type DeviceAddress,
  type DeviceId,
  formatContactLink,
  idBytes,
  type RelayAddress
} from '@kith/protocols'
import type {
  AccountView,
  ContactView,
  HomeView,
  MessageView,
  MessengerApi,
  NodeEvent,
  StatusView
} from './api.ts'
import { type Contact, Contacts } from './contacts/contacts.ts'
import { Directory } from './contacts/directory.ts'
import { Timelines } from './conversations/timeline.ts'
import { Delivery } from './delivery/delivery.ts'
import type { DeliveryEvent } from './delivery/inputs.ts'
import { loadIntroductions, loadState } from './delivery/load.ts'
import { Marks } from './delivery/marks.ts'
import { type Home, RelayRoute } from './delivery/relay-route.ts'
import type { OutboxEntry } from './delivery/state.ts'
import { DirectGroups } from './direct/direct-groups.ts'
import { serveDevices } from './direct/serve.ts'
import { EventHub } from './event-hub.ts'
import type { GroupCrypto, LocalDevice, Member } from './groups/group-crypto.ts'
import { KeyPackageStore } from './groups/key-package-store.ts'
import { ensureRegistered, type Profile } from './identity/profile.ts'
import type { Clock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import type { Network } from './kernel/network.ts'
import type { Primitives } from './kernel/primitives.ts'
import type { Random } from './kernel/random.ts'
import type { Rpc } from './kernel/rpc.ts'
import type { SealedStore } from './kernel/store/sealed.ts'
import { requireText } from './message-text.ts'
import { gapsOf, type MessageContext, MessageViews } from './messenger-views.ts'

/** Listed when a caller does not say how many, and at most. */
const LIST_DEFAULT = 50
const LIST_MAX = 1_000

/** What a messenger needs of its network. */
export type MessengerNetwork = Pick<Network, 'rpc' | 'addresses' | 'onConnection' | 'onDiscovery'>

export interface MessengerComponents {
  readonly store: SealedStore
  readonly network: MessengerNetwork
  readonly crypto: GroupCrypto
  readonly primitives: Primitives
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface MessengerInit {
  readonly device: LocalDevice
  readonly profile: Profile
}

export interface Messenger extends MessengerApi {
  /** Ends every session; the store and the network are the caller's. */
  stop(): Promise<void>
}

/** Loads what is stored, connects to the home relays in the background, and is ready. */
export async function createMessenger(
  components: MessengerComponents,
  init: MessengerInit
): Promise<Messenger> {
  const { store, primitives } = components
  const { rpc } = components.network
  const { device, profile } = init
  const homes: readonly Home[] = profile.homes.map(({ relay, addresses }) => ({
    id: relay,
    addresses
  }))
  const directory = new Directory({ store, rpc, primitives })
  await directory.learn(profile.account, profile.operations)
  const contacts = new Contacts({ store, primitives, self: profile.account })
  await contacts.load()
  for (const { account } of contacts.list()) await directory.load(account)
  const keyPackages = new KeyPackageStore({ ...components, rpc, device })
  const groups = new DirectGroups({
    ...components,
    rpc,
    device,
    directory,
    contacts,
    keyPackages,
    homes
  })
  const timelines = new Timelines(store)
  const state = await loadState(components, {
    self: device,
    profile: { name: profile.name, deliverySecret: profile.deliverySecret }
  })
  for (const { peer } of state.conversations.values()) await contacts.meet(peer)
  for (const introduction of await loadIntroductions(store)) await contacts.introduce(introduction)
  return new Running(
    { ...components, rpc, contacts, directory, keyPackages, groups, timelines },
    init,
    {
      homes,
      state
    }
  )
}

interface Parts extends MessengerComponents {
  readonly rpc: Rpc
  readonly contacts: Contacts
  readonly directory: Directory
  readonly keyPackages: KeyPackageStore
  readonly groups: DirectGroups
  readonly timelines: Timelines
}

class Running implements Messenger {
  readonly #parts: Parts
  readonly #init: MessengerInit
  readonly #delivery: Delivery
  readonly #events = new EventHub()
  readonly #views: MessageViews
  readonly #unlisten: () => void

  constructor(
    parts: Parts,
    init: MessengerInit,
    start: { homes: readonly Home[]; state: Awaited<ReturnType<typeof loadState>> }
  ) {
    this.#parts = parts
    this.#init = init
    this.#views = new MessageViews(parts.contacts, init.profile)
    this.#delivery = new Delivery(
      { ...parts, marks: new Marks(parts.store), device: init.device },
      {
        state: start.state,
        targets: (account, envelopeId) => this.#targets(account, envelopeId),
        onEvent: (event) => {
          this.#onEvent(event).catch((error: unknown) =>
            parts.log.warn('event-not-kept', { type: event.type, cause: String(error) })
          )
        },
        onFailure: () =>
          this.#events.emit({ type: 'notice', text: 'The store failed; nothing more is kept.' })
      }
    )
    for (const contact of parts.contacts.list()) this.#befriend(contact)
    serveDevices({ ...parts, ...init, delivery: this.#delivery })
    for (const home of start.homes) this.#delivery.addRoute(this.#routeTo(home))
    this.#delivery.resume()
    this.#delivery.dispatch({ type: 'addresses', addresses: this.#addresses() })
    const unlisten = [
      parts.network.onConnection(({ peer, connected }) => {
        if (connected && this.#knows(peer)) this.#delivery.devices.connected(peer)
      }),
      parts.network.onDiscovery(({ peer, addresses }) => {
        if (this.#knows(peer)) this.#delivery.devices.learn(peer, addresses)
      })
    ]
    this.#unlisten = () => {
      for (const stop of unlisten) stop()
    }
  }

  /** Whether a device is one that something could be for. */
  #knows(device: DeviceId): boolean {
    const epochs = [...this.#delivery.state.tags.values()].map(({ epoch }) => epoch)
    return epochs.some(({ members }) => members.some((member) => member.device === device))
  }

  /** This device, for a contact link; none while it listens nowhere. */
  #ownAddress(): readonly DeviceAddress[] {
    const addresses = this.#addresses()
    return addresses.length === 0 ? [] : [{ device: this.#init.device.device, addresses }]
  }

  /** Multiaddrs of this device as they are told to others: without the PeerId, which they know. */
  #addresses(): readonly string[] {
    const addresses = this.#parts.network.addresses().map((address) => address.split('/p2p/')[0])
    return addresses.filter((address) => address !== undefined).slice(0, ADDRESSES_MAX)
  }

  async account(): Promise<AccountView> {
    const { profile, device } = this.#init
    const relays: RelayAddress[] = profile.homes.map(({ relay, addresses }) => ({
      relay,
      addresses
    }))
    const { account, name } = profile
    return {
      account,
      device: device.device,
      name,
      devices: this.#parts.directory.state(account)?.devices.map((entry) => entry.device) ?? [],
      homes: this.#homes(),
      link: formatContactLink({ account, name, relays }),
      directLink: formatContactLink({ account, name, relays, devices: this.#ownAddress() })
    }
  }

  async status(): Promise<StatusView> {
    const { conversations, outbox } = this.#delivery.state
    return {
      account: this.#init.profile.account,
      homes: this.#homes(),
      queued: [...outbox.values()].filter(({ kind }) => kind === 'text').length,
      gaps: [...conversations.values()].flatMap(gapsOf)
    }
  }

  async addContact(options: { link: string; name?: string }): Promise<ContactView> {
    const contact = await this.#parts.contacts.add(options)
    this.#befriend(contact)
    return this.#announce(contact)
  }

  async listContacts(): Promise<readonly ContactView[]> {
    return this.#parts.contacts.list().map((contact) => this.#parts.contacts.view(contact))
  }

  async sendMessage({ to, text }: { to: string; text: string }): Promise<MessageView> {
    requireText(text)
    const contact = this.#parts.contacts.find(to)
    const { conversation } = this.#parts.contacts.view(contact)
    const entry = await this.#delivery.compose({ conversation, peer: contact.account, text })
    return this.#views.ofEntry(entry)
  }

  async listMessages(options: { with: string; limit?: number }) {
    const contact = this.#parts.contacts.find(options.with)
    const { conversation } = this.#parts.contacts.view(contact)
    const state = this.#delivery.state.conversations.get(conversation)
    if (state === undefined) return { messages: [], gaps: [] }
    const limit = Math.min(Math.max(1, options.limit ?? LIST_DEFAULT), LIST_MAX)
    const stored = await this.#parts.timelines.newest(state.local, limit)
    const entries = [...this.#delivery.state.outbox.values()].filter(
      (entry) => entry.conversation === conversation && entry.kind === 'text'
    )
    const { delivered } = state
    return {
      messages: this.#views.list({ stored, entries, delivered, limit }),
      gaps: gapsOf(state)
    }
  }

  events(signal: AbortSignal): AsyncIterable<NodeEvent> {
    return this.#events.subscribe(signal)
  }

  async stop(): Promise<void> {
    this.#unlisten()
    await this.#delivery.stop()
  }

  #homes(): readonly HomeView[] {
    return this.#delivery.routes.map(({ home, connected }) => ({
      relay: home.id,
      addresses: home.addresses,
      connected
    }))
  }

  #befriend({ account, confirmed, devices }: Contact): void {
    if (confirmed) this.#delivery.dispatch({ type: 'befriend', account })
    for (const { device, addresses } of devices) this.#delivery.devices.learn(device, addresses)
  }

  #announce(contact: Contact): ContactView {
    const view = this.#parts.contacts.view(contact)
    this.#events.emit({ type: 'contact', contact: view })
    return view
  }

  #targets(account: AccountId, envelopeId: Uint8Array): box.Target[] {
    const { contacts, primitives } = this.#parts
    const secret = contacts.get(account)?.deliverySecret
    const token =
      secret === undefined
        ? new Uint8Array(0)
        : box.deliveryToken({ secret, account: idBytes(account), envelopeId }, (key, ...parts) =>
            primitives.hmac(key, ...parts)
          )
    return [{ account: idBytes(account), deliveryToken: token }]
  }

  async #onEvent(event: DeliveryEvent): Promise<void> {
    const { contacts } = this.#parts
    if (event.type === 'introduced') this.#announce(await contacts.introduce(event.introduction))
    else if (event.type === 'joined') this.#announce(await contacts.meet(event.account))
    else this.#emit(event)
  }

  #emit(event: Exclude<DeliveryEvent, { type: 'introduced' | 'joined' }>): void {
    switch (event.type) {
      case 'composed':
        return this.#events.emit({
          type: 'message',
          message: this.#views.ofEntry(event.entry)
        })
      case 'progress':
        return this.#emitProgress(event.entry)
      case 'message':
        return this.#events.emit({
          type: 'message',
          message: this.#views.ofMessage(event.message, this.#contextOf(event.message.conversation))
        })
      case 'gap':
      case 'gap-closed':
        return this.#events.emit({
          type: event.type,
          gap: { conversation: event.conversation, missing: event.gap }
        })
      case 'members':
        return this.#emitMembers(event)
      case 'notice':
        return this.#events.emit(event)
    }
  }

  /** A change of devices is told in words: it is what a ghost device would look like. */
  #emitMembers({
    conversation,
    added,
    removed
  }: Extract<DeliveryEvent, { type: 'members' }>): void {
    const tell = (members: readonly Member[], verb: string) => {
      for (const { account, device } of members) {
        const name = account === this.#init.profile.account ? 'you' : this.#views.nameOf(account)
        this.#events.emit({
          type: 'devices',
          conversation,
          text: `${name}: device ${verb}`,
          device
        })
      }
    }
    tell(added, 'added')
    tell(removed, 'removed')
  }

  #contextOf(conversation: ConversationId): MessageContext {
    const { conversations } = this.#delivery.state
    return { outbox: new Map(), delivered: conversations.get(conversation)?.delivered ?? new Map() }
  }

  #emitProgress(entry: OutboxEntry): void {
    if (entry.kind !== 'text') return
    this.#events.emit({ type: 'state', message: this.#views.ofEntry(entry) })
  }

  #routeTo(home: Home): RelayRoute {
    const dispatch = this.#delivery.dispatch.bind(this.#delivery)
    const relay = home.id
    const connection = (connected: boolean) =>
      this.#events.emit({ type: 'connection', relay, connected })
    return new RelayRoute(this.#parts, {
      home,
      resume: () => this.#resumeFrom(home),
      targets: ({ target, sealed }) =>
        sealed === undefined ? [] : this.#targets(target, idBytes(sealed.id)),
      prepare: (signal) => this.#prepare(home, signal),
      on: {
        online: () => {
          dispatch({ type: 'online', relay })
          connection(true)
        },
        offline: () => {
          dispatch({ type: 'offline', relay })
          connection(false)
        },
        item: (item) => dispatch({ type: 'item', relay, item }),
        accepted: (local) => dispatch({ type: 'accepted', local, relay }),
        refused: (local, reason, retryAfterMs) =>
          dispatch({ type: 'refused', local, relay, reason, retryAfterMs }),
        unknown: (local, retryAfterMs) =>
          this.#parts.clock.schedule(retryAfterMs, () =>
            dispatch({ type: 'retry-append', local, relay })
          )
      }
    })
  }

  #resumeFrom({ id }: Home): { storeEpoch: Uint8Array; number: number } {
    const { intakes, cursors } = this.#delivery.state
    const cursor = intakes.get(id)?.cursor ?? cursors.get(id)
    return cursor ?? { storeEpoch: new Uint8Array(0), number: 0 }
  }

  /** Another device may have changed the account: the groups have to follow. */
  async #followAccount(home: Home, signal: AbortSignal): Promise<void> {
    const { account, device } = this.#init.device
    const { devices } = await this.#parts.directory.refresh(account, [home], signal)
    if (!devices.some((entry) => entry.device === device)) {
      this.#events.emit({ type: 'notice', text: 'This device was removed from its account.' })
      return
    }
    for (const conversation of this.#delivery.state.conversations.keys()) {
      this.#delivery.dispatch({ type: 'reconcile', conversation })
    }
  }

  /** What a home must have of this account before others can reach it. */
  async #prepare(home: Home, signal: AbortSignal): Promise<void> {
    const { rpc, keyPackages } = this.#parts
    const { profile } = this.#init
    await ensureRegistered({ rpc, home, profile, signal })
    const { deliverySecret } = profile
    await rpc.request(home, box.boxConfigure, { deliverySecret, blocked: [] }, { signal })
    await keyPackages.replenish(home, signal)
    await this.#followAccount(home, signal)
  }
}
