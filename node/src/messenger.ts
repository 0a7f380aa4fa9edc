// The messenger: builds every component in order and is the one place that knows them all. What a user interface
// may do with it is MessengerApi.
import {
  type DeviceAddress,
  type DeviceId,
  formatContactLink,
  type RelayAddress
} from '@kith/protocols'
import type {
  AccountView,
  ContactView,
  EvidenceView,
  HomeView,
  MessageView,
  MessengerApi,
  NodeEvent,
  StatusView
} from './api.ts'
import { BoxSettings } from './contacts/box-settings.ts'
import { Contacts } from './contacts/contacts.ts'
import { Directory } from './contacts/directory.ts'
import { Notices } from './contacts/notices.ts'
import { Verification } from './contacts/verification.ts'
import { Timelines } from './conversations/timeline.ts'
import { Delivery } from './delivery/delivery.ts'
import type { DeliveryEvent } from './delivery/inputs.ts'
import { loadIntroductions, loadState } from './delivery/load.ts'
import { Marks } from './delivery/marks.ts'
import type { LoggedDeliveryEvent } from './delivery/records.ts'
import type { Home } from './delivery/relay-route.ts'
import { exportConversations } from './delivery/transfer.ts'
import { DirectGroups } from './direct/direct-groups.ts'
import { relaysOf } from './direct/direct-policy.ts'
import { serveDevices } from './direct/serve.ts'
import { EventHub } from './event-hub.ts'
import { EventLog, EventReader } from './events/index.ts'
import type { GroupCrypto, LocalDevice } from './groups/group-crypto.ts'
import { KeyPackageStore } from './groups/key-package-store.ts'
import { HomeSessions, targetsOf } from './home-sessions.ts'
import type { Profile } from './identity/profile.ts'
import type { Clock } from './kernel/clock.ts'
import type { Failpoint } from './kernel/failpoint.ts'
import type { Log } from './kernel/log.ts'
import type { WrapStep } from './kernel/machine.ts'
import type { Network } from './kernel/network.ts'
import type { Primitives } from './kernel/primitives.ts'
import type { Random } from './kernel/random.ts'
import type { Rpc } from './kernel/rpc.ts'
import type { SealedStore } from './kernel/store/sealed.ts'
import { type Devices, LinkHost, openDevices, packBundle, waitForGroups } from './linking/index.ts'
import { type PageOptions, readPage } from './message-page.ts'
import { requireText } from './message-text.ts'
import { beginningOf, evidenceView, gapsOf, isUnderWay, MessageViews } from './messenger-views.ts'
import { Neighbours } from './neighbours.ts'
import { People } from './people.ts'

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
  readonly failpoint?: Failpoint | undefined
  readonly wrapStep?: WrapStep | undefined
}

export interface MessengerInit {
  readonly device: LocalDevice
  readonly profile: Profile
}

export interface Messenger extends MessengerApi {
  /** Whether a device is of this account or of a contact: its connection is kept when room is needed. */
  isKnown(device: DeviceId): boolean
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
  const log = await EventLog.open(components)
  const events = await EventReader.open({ ...components, log })
  const directory = new Directory({ store, rpc, primitives })
  // Operations made since are stored there; the profile has those of the beginning.
  const known = await directory.load(profile.account)
  await directory.learn(profile.account, profile.operations.slice(known?.length ?? 0))
  const contacts = new Contacts({ ...components, events: log, directory, self: profile.account })
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
  const verification = new Verification({
    ...components,
    contacts,
    directory,
    relaysOf: (account) => relaysOf({ contacts, directory, homes }, account),
    self: profile.account
  })
  const { deliverySecret } = profile
  const boxSettings = new BoxSettings({ ...components, rpc, contacts, homes, deliverySecret })
  const notices = new Notices({ ...components, events: log })
  const devices = await openDevices({ ...components, rpc, directory, device, homes })
  return new Running(
    {
      ...components,
      rpc,
      eventLog: log,
      eventReader: events,
      contacts,
      directory,
      keyPackages,
      groups,
      timelines,
      notices,
      verification,
      boxSettings,
      devices
    },
    init,
    { homes, state }
  )
}

/** Everything a running messenger is made of, besides its delivery. */
interface Parts extends MessengerComponents {
  readonly rpc: Rpc
  readonly eventLog: EventLog
  readonly eventReader: EventReader
  readonly contacts: Contacts
  readonly directory: Directory
  readonly keyPackages: KeyPackageStore
  readonly groups: DirectGroups
  readonly timelines: Timelines
  readonly notices: Notices
  readonly verification: Verification
  readonly boxSettings: BoxSettings
  readonly devices: Devices
}

class Running implements Messenger {
  readonly #parts: Parts
  readonly #init: MessengerInit
  readonly #delivery: Delivery
  readonly #events = new EventHub()
  readonly #views: MessageViews
  readonly #people: People
  readonly #links: LinkHost
  readonly #neighbours: Neighbours
  readonly #stopping = new AbortController()
  readonly #unlisten: () => void

  constructor(
    parts: Parts,
    init: MessengerInit,
    start: { homes: readonly Home[]; state: Awaited<ReturnType<typeof loadState>> }
  ) {
    this.#parts = parts
    this.#init = init
    const isOwnDevice = (device: DeviceId) => parts.devices.isOther(device)
    this.#views = new MessageViews(parts.contacts, init.profile, () => this.#delivery.state)
    this.#delivery = new Delivery(
      {
        ...parts,
        marks: new Marks(parts.store),
        events: { enter: (events) => parts.eventLog.enter(events.flatMap(this.#logged)) },
        device: init.device
      },
      {
        state: start.state,
        targets: (account, envelopeId) => targetsOf(parts, account, envelopeId),
        isOwnDevice,
        onEvent: (event) => this.#onEvent(event),
        onFailure: () =>
          this.#events.emit({ type: 'notice', text: 'The store failed; nothing more is kept.' })
      }
    )
    this.#people = new People(
      { ...parts, self: init.profile.account },
      {
        delivery: this.#delivery,
        emit: (event) => this.#events.emit(event),
        viewOf: (message) => this.#views.ofStored(message)
      }
    )
    this.#people.start()
    this.#links = new LinkHost(parts, {
      profile: init.profile,
      bundle: () => this.#bundle(),
      reconcile: (signal) => this.#followDevices(signal),
      onLink: (link) => this.#events.emit({ type: 'link', link }),
      notice: (text) => this.#events.emit({ type: 'notice', text })
    })
    this.#neighbours = new Neighbours({ ...parts, delivery: this.#delivery }, init.profile.account)
    serveDevices({
      ...parts,
      ...init,
      delivery: this.#delivery,
      isKnown: this.isKnown,
      isOwnDevice,
      isBlocked: (device) => this.#neighbours.isOfBlocked(device)
    })
    const sessions = new HomeSessions(
      { ...parts, delivery: this.#delivery },
      {
        ...init,
        emit: (event) => this.#events.emit(event),
        settleLinks: (signal) => this.#links.settle(signal),
        reconcile: () => {
          this.#reconcile()
          this.#people.refresh()
        }
      }
    )
    for (const home of start.homes) this.#delivery.addRoute(sessions.routeTo(home))
    this.#delivery.resume()
    this.#delivery.dispatch({ type: 'addresses', addresses: this.#neighbours.addresses() })
    this.#unlisten = this.#neighbours.listen()
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
      directLink: formatContactLink({ account, name, relays, devices: this.#here() })
    }
  }

  /** This device, for a contact link; none while it listens nowhere. */
  #here(): readonly DeviceAddress[] {
    const addresses = this.#neighbours.addresses()
    return addresses.length === 0 ? [] : [{ device: this.#init.device.device, addresses }]
  }

  async status(): Promise<StatusView> {
    const { conversations } = this.#delivery.state
    return {
      account: this.#init.profile.account,
      homes: this.#homes(),
      queued: this.#delivery.texts().filter(isUnderWay).length,
      gaps: [...conversations.values()]
        .filter(({ id }) => this.#people.isContact(id))
        .flatMap(gapsOf)
    }
  }

  addContact: MessengerApi['addContact'] = (options) => this.#people.addContact(options)
  listRequests: MessengerApi['listRequests'] = () => this.#people.listRequests()
  acceptRequest: MessengerApi['acceptRequest'] = (options) => this.#people.acceptRequest(options)
  ignoreRequest: MessengerApi['ignoreRequest'] = (options) => this.#people.ignoreRequest(options)
  blockContact: MessengerApi['blockContact'] = (options) => this.#people.blockContact(options)
  unblockContact: MessengerApi['unblockContact'] = (options) => this.#people.unblockContact(options)
  listBlocked: MessengerApi['listBlocked'] = () => this.#people.listBlocked()
  safetyNumber: MessengerApi['safetyNumber'] = (options) => this.#people.safetyNumber(options)
  verifyContact: MessengerApi['verifyContact'] = (options) => this.#people.verifyContact(options)

  async listEvidence(): Promise<readonly EvidenceView[]> {
    return (await this.#delivery.evidence()).map(evidenceView)
  }

  async listContacts(): Promise<readonly ContactView[]> {
    const { contacts } = this.#parts
    return contacts.list('contact').map((contact) => contacts.view(contact))
  }

  async sendMessage({ to, text }: { to: string; text: string }): Promise<MessageView> {
    requireText(text)
    this.#parts.devices.requireOwn()
    const contact = this.#parts.contacts.find(to)
    const { conversation } = this.#parts.contacts.view(contact)
    const entry = await this.#delivery.compose({ conversation, peer: contact.account, text })
    return this.#views.ofEntry(entry)
  }

  async listMessages(options: PageOptions & { with: string }) {
    const contact = this.#parts.contacts.find(options.with)
    const { conversation } = this.#parts.contacts.view(contact)
    const state = this.#delivery.state.conversations.get(conversation)
    if (state === undefined) return { messages: [], gaps: [], notices: [] }
    const texts = this.#delivery.texts().filter((entry) => entry.conversation === conversation)
    const page = await readPage(this.#parts, state.local, options, texts)
    const { limit } = page
    const shown = this.#views.list({ ...page, delivered: state.delivered })
    const sinceMs = page.stored.length < limit ? 0 : beginningOf(shown, this.#parts.clock.now())
    const notices = await this.#people.notices.list(contact, { sinceMs, limit })
    return { messages: shown, gaps: gapsOf(state), notices }
  }

  events(signal: AbortSignal): AsyncIterable<NodeEvent> {
    return this.#events.subscribe(signal)
  }

  readEvents: MessengerApi['readEvents'] = (options, signal) =>
    this.#parts.eventReader.readEvents(options, signal)
  confirmEvents: MessengerApi['confirmEvents'] = (options) =>
    this.#parts.eventReader.confirmEvents(options)
  listConsumers: MessengerApi['listConsumers'] = () => this.#parts.eventReader.listConsumers()
  forgetConsumer: MessengerApi['forgetConsumer'] = (options) =>
    this.#parts.eventReader.forgetConsumer(options)

  listDevices: MessengerApi['listDevices'] = async () => this.#parts.devices.list()
  renameDevice: MessengerApi['renameDevice'] = ({ device, name }) =>
    this.#parts.devices.rename(device, name)
  startLink: MessengerApi['startLink'] = () => this.#links.start()
  answerLink: MessengerApi['answerLink'] = async ({ isSame }) => this.#links.answer(isSame)
  cancelLink: MessengerApi['cancelLink'] = async () => this.#links.cancel()
  isKnown: Messenger['isKnown'] = (device) => this.#neighbours.isOfContact(device)

  async removeDevice({ device }: { device: string }) {
    const removed = await this.#parts.devices.remove(device)
    await this.#followDevices(this.#stopping.signal)
    return removed
  }

  async stop(): Promise<void> {
    this.#unlisten()
    this.#stopping.abort()
    this.#parts.eventReader.stop()
    await this.#links.stop()
    await this.#delivery.stop()
  }

  #homes(): readonly HomeView[] {
    return this.#delivery.routes.map(({ home, connected }) => ({
      relay: home.id,
      addresses: home.addresses,
      connected
    }))
  }

  #onEvent(event: DeliveryEvent): void {
    const seen = this.#people.isShown(event) ? this.#views.ofEvent(event) : undefined
    if (seen !== undefined) this.#events.emit(seen)
  }

  /** What is written down: of contacts everything, of strangers nothing until they are accepted. */
  #logged = (event: LoggedDeliveryEvent): readonly NodeEvent[] => {
    const seen = this.#people.isOfContacts(event) ? this.#views.ofEvent(event) : undefined
    return seen === undefined ? [] : [seen]
  }

  /** Has every group compared with the account logs. */
  #reconcile(): void {
    for (const conversation of this.#delivery.state.conversations.keys()) {
      this.#delivery.dispatch({ type: 'reconcile', conversation })
    }
  }

  /** The same, until they are in line: a command that ends at once would leave it to the next. */
  async #followDevices(signal: AbortSignal): Promise<void> {
    const { clock, directory } = this.#parts
    const { account } = this.#init.profile
    const state = () => this.#delivery.state
    const reconcile = () => this.#reconcile()
    await waitForGroups({ clock, directory, account, state, reconcile }, signal)
  }

  /** What a new device needs to know. */
  #bundle(): Promise<Uint8Array> {
    const { contacts, devices } = this.#parts
    const { account, name, deliverySecret } = this.#init.profile
    return packBundle(this.#parts, {
      account,
      name,
      deliverySecret,
      deviceNames: devices.names,
      known: contacts.list().map((contact) => contact.account),
      conversations: exportConversations(this.#delivery.state)
    })
  }
}
