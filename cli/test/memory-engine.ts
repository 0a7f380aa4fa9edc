// A messenger in memory for the tests of the command line: accounts by home folder, one holder at a time, people who
// reach each other as far as the test lets them. It stands in for the engine, not for its promises.
import {
  type AccountView,
  type ContactView,
  type EvidenceView,
  type MessageView,
  type MessengerApi,
  type NodeEvent,
  type NoticeView,
  UserError
} from '@kith/node'
import { checkEvidence } from '@kith/node/host'
import {
  type AccountId,
  type ConversationId,
  type DeviceId,
  formatContactLink,
  type MessageId,
  parseContactLink,
  type RelayId
} from '@kith/protocols'
import type { Engine, Messenger } from '../src/engine.ts'
import { MemoryLinks } from './memory-devices.ts'
import { MemoryEvents } from './memory-events.ts'
import { MemoryStrangers } from './memory-strangers.ts'

const RELAY = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN' as RelayId
const ADDRESS = `/ip4/127.0.0.1/tcp/4001/p2p/${RELAY}`

const id = (seed: string): string => {
  const letters = [...seed].map((letter) => letter.charCodeAt(0) % 26)
  return `${letters.map((code) => String.fromCharCode(97 + code)).join('')}${'a'.repeat(52)}`.slice(
    0,
    52
  )
}

/** How far messages get: to the own store, to a relay, to the other person. */
export type Reach = 'queued' | 'accepted' | 'delivered'

export class MemoryPerson {
  readonly evidence: EvidenceView[] = []
  readonly name: string
  readonly account: AccountId
  readonly world: MemoryWorld
  readonly passphrase: string | undefined
  readonly contacts = new Map<string, ContactView>()
  readonly messages: MessageView[] = []
  /** Every call of the messenger, for tests that count. */
  readonly calls: string[] = []
  /** Requests, blocking and safety numbers; see memory-strangers.ts. */
  readonly strangers = new MemoryStrangers(this)
  readonly notices: NoticeView[] = []
  reach: Reach = 'delivered'
  isHeld = false
  /** What sending is refused with. */
  refusal: UserError | undefined
  private readonly listeners = new Set<(event: NodeEvent) => void>()

  private readonly log = new MemoryEvents()

  constructor(world: MemoryWorld, name: string, passphrase: string | undefined) {
    this.world = world
    this.name = name
    this.passphrase = passphrase
    this.account = id(name) as AccountId
  }

  get link(): string {
    return formatContactLink({
      account: this.account,
      name: this.name,
      relays: [{ relay: RELAY, addresses: [ADDRESS] }]
    })
  }

  view(): AccountView {
    const device = RELAY as string as DeviceId
    const homes = [{ relay: RELAY, addresses: [ADDRESS], connected: true }]
    return {
      account: this.account,
      device,
      name: this.name,
      devices: [device],
      homes,
      link: this.link,
      directLink: this.link
    }
  }

  conversationWith(account: AccountId): ConversationId {
    const [first, second] = [this.account, account].sort()
    return `${first?.slice(0, 26)}${second?.slice(0, 26)}` as ConversationId
  }

  addContact(other: { account: AccountId; name: string }, name = other.name): ContactView {
    const { account } = other
    const conversation = this.conversationWith(account)
    const contact = {
      account,
      name,
      conversation,
      homes: [RELAY],
      isVerified: false,
      isBlocked: false
    }
    this.contacts.set(name, contact)
    return contact
  }

  find(who: string): ContactView {
    const found = [...this.contacts.values()].find((one) => one.name === who || one.account === who)
    if (found !== undefined) return found
    throw new UserError('unknown-contact', `There is no contact called "${who}".`, {
      hint: 'kith contact list'
    })
  }

  /** Written down first, like the messenger does. */
  emit(event: NodeEvent): void {
    if (event.type !== 'connection' && event.type !== 'link') this.log.write(event)
    for (const listener of this.listeners) listener(event)
  }

  get listenerCount(): number {
    return this.listeners.size
  }

  store(message: Omit<MessageView, 'local' | 'storedAtMs'>): MessageView {
    const local = this.messages.length + 1
    const stored = { ...message, local, storedAtMs: Date.now() }
    this.messages.push(stored)
    this.emit({ type: 'message', message: stored })
    return stored
  }

  update(local: number, change: Partial<MessageView>): void {
    const index = this.messages.findIndex((message) => message.local === local)
    const message = { ...(this.messages[index] as MessageView), ...change }
    this.messages[index] = message
    this.emit({ type: 'state', message })
  }

  /** Somebody's message arrives here, however it came. */
  receive(from: { account: AccountId; name: string }, text: string): MessageView {
    const contact =
      [...this.contacts.values()].find((one) => one.account === from.account) ??
      this.addContact(from)
    return this.store({
      id: id(`${text}${this.messages.length}`) as MessageId,
      conversation: contact.conversation,
      sender: contact.name,
      outgoing: false,
      text,
      sentAtMs: Date.UTC(2026, 0, 2, 12, 0),
      state: 'received',
      relays: 0,
      path: 'relay',
      reason: undefined
    })
  }

  send(to: string, text: string): MessageView {
    const contact = this.find(to)
    if (this.refusal !== undefined) throw this.refusal
    const message = this.store({
      id: undefined,
      conversation: contact.conversation,
      sender: this.name,
      outgoing: true,
      text,
      sentAtMs: Date.UTC(2026, 0, 2, 12, 0),
      state: 'queued',
      relays: 0,
      path: undefined,
      reason: this.reach === 'queued' ? 'no relay is reached' : undefined
    })
    if (this.reach !== 'queued') setImmediate(() => this.carry(message.local, contact, text))
    return message
  }

  private carry(local: number, contact: ContactView, text: string): void {
    this.update(local, { state: 'accepted', relays: 1 })
    if (this.reach !== 'delivered') return
    setImmediate(() => {
      this.world.byAccount(contact.account)?.receive(this, text)
      this.update(local, { state: 'delivered', path: 'direct' })
    })
  }

  async *events(signal: AbortSignal): AsyncIterable<NodeEvent> {
    const queue: NodeEvent[] = []
    let wake = (): void => undefined
    const listener = (event: NodeEvent) => {
      queue.push(event)
      wake()
    }
    this.listeners.add(listener)
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event
        if (signal.aborted) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      this.listeners.delete(listener)
    }
  }

  api(): MessengerApi {
    const count = <T>(name: string, result: T): T => {
      this.calls.push(name)
      return result
    }
    return {
      account: async () => count('account', this.view()),
      status: async () => ({
        account: this.account,
        homes: this.view().homes,
        queued: 0,
        gaps: []
      }),
      addContact: async ({ link, name }) => {
        const parsed = parseLink(link)
        return this.addContact({ account: parsed.account, name: parsed.name }, name)
      },
      listContacts: async () => [...this.contacts.values()].filter(({ isBlocked }) => !isBlocked),
      ...this.strangers,
      ...this.log.api(),
      listEvidence: async () => this.evidence,
      ...this.world.links.devicesOf(this),
      sendMessage: async ({ to, text }) => count('sendMessage', this.send(to, text)),
      listMessages: async (options) => {
        const { conversation } = this.find(options.with)
        const all = this.messages.filter((message) => message.conversation === conversation)
        const end = all.findIndex(({ id: one }) => one !== undefined && one === options.before)
        const upTo = options.before === undefined ? all : all.slice(0, end)
        return { messages: upTo.slice(-(options.limit ?? 50)), gaps: [], notices: this.notices }
      },
      events: (signal) => this.events(signal)
    }
  }
}

function parseLink(link: string) {
  try {
    return parseContactLink(link)
  } catch (cause) {
    throw new UserError('malformed-link', 'This is not a contact link.', { cause })
  }
}

/** Everybody, and which home belongs to whom. */
export class MemoryWorld implements Engine {
  readonly checkEvidence = checkEvidence
  private readonly homes = new Map<string, MemoryPerson>()
  readonly links = new MemoryLinks()
  readonly linkDevice = this.links.link

  person(home: string, name: string, options: { passphrase?: string } = {}): MemoryPerson {
    const person = new MemoryPerson(this, name, options.passphrase)
    this.homes.set(home, person)
    return person
  }

  byAccount(account: AccountId): MemoryPerson | undefined {
    return [...this.homes.values()].find((person) => person.account === account)
  }

  createAccount: Engine['createAccount'] = async ({ home, name, passphrase }) => {
    if (this.homes.has(home))
      throw new UserError('account-exists', `There is an account in ${home}.`)
    const person = this.person(home, name, passphrase === undefined ? {} : { passphrase })
    const words = Array.from({ length: 24 }, (_, index) => `word${index + 1}`)
    return { account: person.view(), recoveryWords: words.join(' ') }
  }

  openMessenger: Engine['openMessenger'] = async ({ home, passphrase }) => {
    const person = this.homes.get(home)
    if (person === undefined) throw new UserError('no-account', `There is no account in ${home}.`)
    if (person.passphrase !== undefined && passphrase === undefined) {
      throw new UserError('passphrase-needed', 'The keys are protected by a passphrase.')
    }
    if (person.passphrase !== undefined && passphrase !== person.passphrase) {
      throw new UserError('wrong-passphrase', 'The passphrase is wrong.')
    }
    if (person.isHeld) throw new UserError('store-in-use', 'The store is in use by process 4711.')
    person.isHeld = true
    return Object.assign(person.api(), {
      stop: async () => {
        person.isHeld = false
      }
    }) as Messenger
  }
}
