// A delivery machine under a microscope: feeds inputs, keeps what came out, and lets a test say when a
// transaction reaches the disk. No cryptography: results of sealing and opening are made up.
import { createHash } from 'node:crypto'
import {
  type AccountId,
  accountIdOf,
  box,
  type ConversationId,
  type DeviceId,
  deviceIdOf,
  direct,
  envelope,
  idBytes,
  type MessageId,
  messageIdOf,
  type RelayId,
  relayIdOf
} from '@kith/protocols'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import type { EpochState } from '../../src/conversations/incarnations.ts'
import type {
  DeliveryEvent,
  Effect,
  Input,
  Opened,
  StartedGroup
} from '../../src/delivery/inputs.ts'
import type { Change } from '../../src/delivery/records.ts'
import type { DeliveryState, SealedEntry } from '../../src/delivery/state.ts'
import { createStep } from '../../src/delivery/step.ts'
import type { CommitEffect } from '../../src/kernel/machine.ts'

export const sha256 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export const bytes = (length: number, value: number): Uint8Array =>
  new Uint8Array(length).fill(value)

export const ALICE = { account: accountIdOf(bytes(32, 1)), device: deviceIdOf(bytes(32, 2)) }
export const BOB = { account: accountIdOf(bytes(32, 3)), device: deviceIdOf(bytes(32, 4)) }
export const RELAY = relayIdOf(bytes(32, 5))
export const CHAT: ConversationId = direct.directConversationId(ALICE.account, BOB.account, sha256)
export const STORE_EPOCH = bytes(16, 6)
const TAG = bytes(16, 7)

export const EPOCH: EpochState = {
  groupId: toText(bytes(32, 8), 'base16'),
  epoch: 1,
  tag: toText(TAG, 'base16'),
  archiveKey: bytes(32, 9),
  authenticator: bytes(8, 10),
  members: [BOB, ALICE]
}

export function initialState(): DeliveryState {
  return {
    self: ALICE,
    profile: { name: 'alice', deliverySecret: bytes(32, 11) },
    lastLocal: 0,
    reservedLocal: 0,
    lastConversation: 0,
    lastWaiting: 0,
    lastTransaction: 0,
    conversations: new Map(),
    tags: new Map(),
    slotTags: new Map(),
    outbox: new Map(),
    outboxBytes: 0,
    welcomes: new Map(),
    cursors: new Map(),
    intakes: new Map(),
    opening: undefined,
    waiting: [],
    missed: [],
    addresses: [],
    online: new Set<RelayId>(),
    friends: new Set<AccountId>([BOB.account]),
    blocked: new Set<AccountId>()
  }
}

type Of<Type extends Effect['type']> = Extract<Effect, { type: Type }>

export class World {
  state = initialState()
  nowMs = 1_000_000
  readonly performed: Effect[] = []
  readonly changes: Change[] = []
  #held: { commit: CommitEffect<Change>; effects: Effect[] }[] = []
  readonly #step = createStep({ sha256 })
  /** Commits reach the disk at once unless a test holds them. */
  hold = false
  #log: { id: Uint8Array; envelope: Uint8Array }[] = []
  #storeEpoch = STORE_EPOCH
  #chain = box.chainStart(STORE_EPOCH, idBytes(ALICE.account), sha256)

  give(...inputs: Input[]): this {
    for (const input of inputs) {
      const { state, effects } = this.#step(this.state, this.nowMs, input)
      this.state = state
      for (const effect of effects) this.#start(effect)
    }
    return this
  }

  #start(effect: Effect | CommitEffect<Change>): void {
    if (effect.type === 'commit') {
      this.#held.push({ commit: effect, effects: [] })
      if (!this.hold) this.sync()
      return
    }
    const waiting = this.#held.find(({ commit }) => commit.transaction === effect.after)
    if (waiting === undefined) this.performed.push(effect)
    else waiting.effects.push(effect)
  }

  /** Everything written so far reaches the disk. */
  sync(): void {
    const held = this.#held
    this.#held = []
    for (const { commit, effects } of held) {
      this.changes.push(...commit.writes)
      this.performed.push(...effects)
    }
  }

  all<Type extends Effect['type']>(type: Type): Of<Type>[] {
    return this.performed.filter((effect): effect is Of<Type> => effect.type === type)
  }

  events<Type extends DeliveryEvent['type']>(type: Type): Extract<DeliveryEvent, { type: Type }>[] {
    return this.all('event')
      .map(({ event }) => event)
      .filter((event): event is Extract<DeliveryEvent, { type: Type }> => event.type === type)
  }

  /** Pushes entries as the relay would, numbered and chained. */
  push(...envelopes: Uint8Array[]): this {
    const entries = envelopes.map((bytes) => {
      const envelopeId = sha256(bytes)
      this.#log.push({ id: envelopeId, envelope: bytes })
      const number = this.#log.length
      this.#chain = box.chainNext(this.#chain, number, envelopeId, sha256)
      return { number, envelopeId, envelope: bytes, receivedAtMs: 0 }
    })
    return this.give({
      type: 'item',
      relay: RELAY,
      item: { storeEpoch: this.#storeEpoch, entries, slots: [] }
    })
  }

  /** Everything pushed so far once more, as to a device that begins anew. */
  readAgain(): this {
    const log = this.#log
    return this.renewStore(this.#storeEpoch).push(...log.map(({ envelope }) => envelope))
  }

  /** The relay's log begins again, in this store epoch. */
  renewStore(storeEpoch: Uint8Array): this {
    this.#log = []
    this.#storeEpoch = storeEpoch
    this.#chain = box.chainStart(storeEpoch, idBytes(ALICE.account), sha256)
    return this
  }

  /** Answers the one opening that is under way. */
  answer(...results: Opened[]): this {
    return this.give({ type: 'opened', source: RELAY, results })
  }
}

/** An envelope of the test's epoch; `seed` makes its bytes and so its id. */
export function envelopeOf(seed: number, tag: Uint8Array = TAG): Uint8Array {
  return envelope.Envelope.encode({
    version: 1,
    epochTag: tag,
    salt: bytes(16, seed),
    commitment: bytes(32, seed),
    sealedHeader: bytes(96, seed),
    sealedContent: bytes(272, seed)
  })
}

export const idOf = (envelope: Uint8Array): MessageId => messageIdOf(sha256(envelope))

/** What opening such an envelope gives: bob's message number `counter`. */
export function fromBob(
  counter: number,
  options: {
    depth?: number
    heads?: { id: MessageId; depth: number | undefined }[]
    text?: string
    device?: DeviceId
    content?: Partial<envelope.Content>
  } = {}
): Opened {
  const heads = options.heads ?? []
  return {
    type: 'message',
    account: BOB.account,
    device: options.device ?? BOB.device,
    counter,
    raw: bytes(4, counter),
    heads,
    change: undefined,
    content: {
      conversation: idBytes(CHAT),
      group: fromString(EPOCH.groupId, 'base16'),
      epoch: EPOCH.epoch,
      authenticator: EPOCH.authenticator,
      heads: heads.map(({ id }) => idBytes(id)),
      depth: options.depth ?? 1,
      sentAtMs: 5,
      body: { text: { text: options.text ?? `text ${counter}` } },
      ...options.content
    }
  }
}

export const STARTED: StartedGroup = {
  snapshot: {
    state: bytes(8, 12),
    view: {
      groupId: fromString(EPOCH.groupId, 'base16'),
      epoch: 1,
      creator: ALICE.account,
      members: EPOCH.members,
      authenticator: EPOCH.authenticator,
      archiveKey: EPOCH.archiveKey
    }
  },
  epoch: EPOCH,
  slots: [{ tag: 'ab', member: BOB }],
  welcomes: [
    {
      id: idOf(envelopeOf(200, bytes(16, 1))),
      envelope: envelopeOf(200, bytes(16, 1)),
      account: BOB.account
    }
  ]
}

/** A world in which alice has founded the chat with bob and her home is reachable. */
export function readyWorld(): World {
  const world = new World()
  world.give({ type: 'online', relay: RELAY })
  world.give({ type: 'compose', request: 1, conversation: CHAT, peer: BOB.account, text: 'first' })
  world.give({ type: 'started', conversation: CHAT, group: STARTED })
  for (const local of world.state.welcomes.keys()) {
    world.give({ type: 'accepted', local, relay: RELAY })
  }
  return world
}

/** The sealed form of what the machine asked to seal last. */
export function sealedOf(world: World, seed: number): Input {
  const request = world.all('seal').at(-1)
  if (request === undefined) throw new Error('nothing was to be sealed')
  const envelope = envelopeOf(seed)
  const sealed: SealedEntry = {
    id: idOf(envelope),
    envelope,
    counter: request.counter,
    depth: request.content.depth
  }
  return { type: 'sealed', local: request.local, sealed }
}
