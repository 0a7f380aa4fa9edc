// Delivery at work: runs the machine of step.ts, performs its effects, and keeps a route to every home relay.
import {
  type AccountId,
  box,
  type ConversationId,
  type DeviceId,
  type direct,
  envelope,
  type MessageId,
  ProtocolError,
  type RelayId
} from '@kith/protocols'
import { UserError } from '../api.ts'
import { beginsAnew } from '../conversations/incarnations.ts'
import { sealEnvelope } from '../conversations/sealing.ts'
import type { Timelines } from '../conversations/timeline.ts'
import type { LocalDevice } from '../groups/group-crypto.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Failpoint } from '../kernel/failpoint.ts'
import type { Log } from '../kernel/log.ts'
import { Machine, type WrapStep } from '../kernel/machine.ts'
import type { Primitives } from '../kernel/primitives.ts'
import type { Random } from '../kernel/random.ts'
import type { Rpc } from '../kernel/rpc.ts'
import type { Store } from '../kernel/store/store.ts'
import { Composing } from './composing.ts'
import { DeviceRoutes } from './device-routes.ts'
import { DirectAnswers } from './direct-answers.ts'
import { type Evidence, EvidenceBook, FORKED } from './evidence.ts'
import { FalseAnswer } from './false-answer.ts'
import { type GroupChanger, GroupWork } from './group-work.ts'
import type { DeliveryEvent, Effect, Input, StartedGroup } from './inputs.ts'
import { LogComparison } from './log-comparison.ts'
import type { Marks } from './marks.ts'
import { type GroupOpener, isTemporary, openAll } from './opening.ts'
import { openReceipt, sealReceipt } from './receipt-slots.ts'
import type { Change } from './records.ts'
import { RETRY_LEAST_MS, type RelayRoute } from './relay-route.ts'
import type { DeliveryState, OutboxEntry } from './state.ts'
import { createStep } from './step.ts'
import { type EventWriter, Transactions } from './transactions.ts'

/** Opening that could not be finished, and a group that could not be founded, are tried again after this. */
const RETRY_MS = 2_000

export interface DeliveryComponents {
  readonly store: Store
  readonly timelines: Timelines
  readonly marks: Marks
  readonly events: EventWriter
  readonly primitives: Primitives
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly failpoint?: Failpoint | undefined
  readonly wrapStep?: WrapStep | undefined
  readonly device: LocalDevice
  readonly rpc: Rpc
  readonly groups: GroupOpener &
    GroupChanger & { start(peer: AccountId, signal: AbortSignal): Promise<StartedGroup> }
}

export interface DeliveryInit {
  readonly state: DeliveryState
  /** The recipient and, when this device has its secret, the token for this envelope. */
  readonly targets: (account: AccountId, envelopeId: Uint8Array) => box.Target[]
  /** Whether it is of this account, by the log. */
  readonly isOwnDevice: (device: DeviceId) => boolean
  readonly onEvent: (event: DeliveryEvent) => void
  /** The store failed: nothing more is taken or acknowledged. */
  readonly onFailure: (error: unknown) => void
}

type EffectOf<Type extends Effect['type']> = Extract<Effect, { type: Type }>

export class Delivery {
  readonly #components: DeliveryComponents
  readonly #init: DeliveryInit
  readonly #machine: Machine<DeliveryState, Input, Effect, Change>
  readonly #routes = new Map<RelayId, RelayRoute>()
  readonly #devices: DeviceRoutes
  readonly #answers = new DirectAnswers()
  readonly #evidence: EvidenceBook
  readonly #comparison: LogComparison
  readonly #groups: GroupWork
  readonly #transactions: Transactions
  readonly #stopping = new AbortController()
  readonly #composing = new Composing()
  /** Of the newest text that is on disk; texts reach it in the order of their numbers. */
  #lastKept: number
  #failure: unknown

  constructor(components: DeliveryComponents, init: DeliveryInit) {
    this.#components = components
    this.#init = init
    this.#lastKept = init.state.lastLocal
    const { clock, primitives, wrapStep } = components
    const step = createStep({ sha256: (...parts) => primitives.sha256(...parts) })
    this.#transactions = new Transactions(components)
    this.#evidence = new EvidenceBook(components)
    this.#groups = new GroupWork(components, {
      dispatch: (input) => this.dispatch(input),
      emit: (event) => this.#emit(event),
      signal: this.#stopping.signal
    })
    this.#devices = new DeviceRoutes(components, {
      held: (device, ids) => this.dispatch({ type: 'held', device, ids }),
      online: (device) => {
        this.dispatch({ type: 'device-online', device })
        this.#comparison.meet(device)
      }
    })
    this.#comparison = new LogComparison(
      { ...components, evidence: this.#evidence },
      {
        self: init.state.self.account,
        isOwnDevice: (device) => init.isOwnDevice(device),
        peerOf: (device) => this.#devices.peerOf(device),
        onShown: (head) => this.dispatch({ ...head, type: 'shown-elsewhere' })
      }
    )
    this.#machine = new Machine(init.state, wrapStep?.(step) ?? step, {
      commit: (changes) => this.#transactions.commit(changes),
      perform: (effect) => this.#perform(effect),
      now: () => clock.now(),
      onFailure: (error) => this.#fail(error)
    })
  }

  get state(): DeliveryState {
    return this.#machine.state
  }

  get routes(): readonly RelayRoute[] {
    return [...this.#routes.values()]
  }

  dispatch(input: Input): void {
    if (!this.#stopping.signal.aborted) this.#machine.dispatch(input)
  }

  /** Adds a route and starts it. */
  addRoute(route: RelayRoute): void {
    this.#routes.set(route.home.id, route)
    route.start()
  }

  /** Where devices of others can be reached directly. */
  get devices(): DeviceRoutes {
    return this.#devices
  }

  /** What another device of this account was shown by relays, for what this one was. */
  compare(heads: direct.LogHeads): direct.LogHeads {
    return this.#comparison.answer(heads)
  }

  /** What relays signed and contradicted, oldest first. */
  evidence(): Promise<readonly Evidence[]> {
    return this.#evidence.list()
  }

  /** Envelopes that a device brought; resolves to the ids of those that are on disk now. */
  deliver(
    envelopes: readonly { readonly id: MessageId; readonly envelope: Uint8Array }[]
  ): Promise<readonly MessageId[]> {
    if (this.#failure !== undefined) throw new ProtocolError('unavailable', 'store-failed')
    const { request, answered } = this.#answers.open(envelopes.map(({ id }) => id))
    this.dispatch({ type: 'deliver', request, envelopes })
    return answered
  }

  /** Goes on with what the last run left: seals what was not sealed, opens what waited. */
  resume(): void {
    for (const conversation of this.state.conversations.values()) {
      const { id, unsealed, addresses } = conversation
      for (const [device, known] of addresses) this.#devices.learn(device, known)
      if (unsealed.length > 0 || beginsAnew(conversation))
        this.dispatch({ type: 'retry-start', conversation: id })
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new ProtocolError('unavailable', 'stopping'))
    this.#devices.stop()
    this.#comparison.stop()
    await Promise.all(this.routes.map((route) => route.stop()))
    await this.#transactions.settled()
    await this.#evidence.settled()
    this.#composing.fail(stopped())
  }

  /** Texts that wait in the outbox, without those that are not on disk yet and could still be lost. */
  texts(): readonly OutboxEntry[] {
    return [...this.state.outbox.values()].filter(
      ({ kind, local }) => kind === 'text' && local <= this.#lastKept
    )
  }

  /** Takes a text into the outbox; resolves once it is durable, rejects with `outbox-full`. */
  compose(options: {
    conversation: ConversationId
    peer: AccountId
    text: string
  }): Promise<OutboxEntry> {
    if (this.#failure !== undefined) return Promise.reject(storeFailed(this.#failure))
    if (this.#stopping.signal.aborted) return Promise.reject(stopped())
    const { request, composed } = this.#composing.open()
    this.dispatch({ type: 'compose', request, ...options })
    return composed
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#components.log.error('delivery-stopped', { reason: String(error) })
    this.#composing.fail(storeFailed(error))
    this.#init.onFailure(error)
  }

  #perform(effect: Effect): void {
    if (this.#failure !== undefined) return
    if (this.#stopping.signal.aborted) {
      // What has become durable on the way is still true for whoever waits for it.
      if (effect.type === 'event') this.#settleComposed(effect.event)
      return
    }
    const { failpoint } = this.#components
    switch (effect.type) {
      case 'seal':
        failpoint?.('node-seal')
        return this.#seal(effect)
      case 'start':
        return void this.#start(effect)
      case 'append':
        failpoint?.('node-send')
        return this.#routes.get(effect.relay)?.append(effect.entry)
      case 'open':
        return void this.#open(effect)
      case 'deliver':
        failpoint?.('node-send')
        return this.#devices.deliver(effect.device, effect.entry)
      case 'change':
        return void this.#groups.change(effect)
      case 'sequence':
        return void this.#groups.sequence(effect)
      case 'ask-decided':
        return void this.#groups.askDecided(effect)
      case 'answer':
        failpoint?.('node-acknowledge')
        this.#answers.settle(effect)
        failpoint?.('node-acknowledged')
        return
      case 'acknowledge':
        failpoint?.('node-acknowledge')
        this.#routes.get(effect.relay)?.acknowledge(effect)
        failpoint?.('node-acknowledged')
        return
      case 'seal-receipt':
        return void this.#sealReceipt(effect)
      case 'open-receipt':
        return this.#openReceipt(effect)
      case 'check-head':
        return this.#checkHead(effect)
      case 'check-receipts':
        return this.#checkReceipts(effect)
      case 'distrust':
        return this.#distrust(effect)
      case 'timer':
        this.#components.clock.schedule(effect.delayMs, () => this.dispatch(effect.input))
        return
      case 'event':
        return this.#emit(effect.event)
    }
  }

  #seal({ local, archiveKey, counter, content }: EffectOf<'seal'>): void {
    const { device, primitives, random } = this.#components
    const salt = random.bytes(envelope.SALT_BYTES)
    const sealed = sealEnvelope({ archiveKey, sender: device, counter, content, salt }, primitives)
    this.dispatch({
      type: 'sealed',
      local,
      sealed: { id: sealed.id, envelope: sealed.envelope, counter, depth: content.depth }
    })
  }

  async #start({ conversation, peer }: EffectOf<'start'>): Promise<void> {
    try {
      const group = await this.#components.groups.start(peer, this.#stopping.signal)
      this.dispatch({ type: 'started', conversation, group })
    } catch (error) {
      const reason = reasonOf(error)
      const wanted = error instanceof ProtocolError ? error.retryAfterMs : undefined
      this.#components.log.warn('chat-not-started', { reason })
      this.#components.log.debug('chat-not-started', { cause: String(error) })
      const retryAfterMs = Math.max(RETRY_LEAST_MS, wanted ?? RETRY_MS)
      this.dispatch({ type: 'start-failed', conversation, reason, retryAfterMs })
    }
  }

  async #open({ source, requests }: EffectOf<'open'>): Promise<void> {
    const { clock } = this.#components
    try {
      const results = await openAll(this.#components, requests)
      this.#components.failpoint?.('node-store')
      this.dispatch({ type: 'opened', source, results })
    } catch (error) {
      // Stopping closes the store under whatever is being opened.
      if (this.#stopping.signal.aborted) return
      if (!isTemporary(error)) return this.#fail(error)
      clock.schedule(RETRY_MS, () => this.dispatch({ type: 'open-again' }))
    }
  }

  async #sealReceipt(effect: EffectOf<'seal-receipt'>): Promise<void> {
    const { conversation, peer } = effect
    const slot = sealReceipt(effect, this.#components)
    // What the token of a slot is made for: protocols/src/box/README.md.
    const { primitives } = this.#components
    const targets = this.#init.targets(peer, primitives.sha256(box.Slot.encode(slot)))
    const put = await Promise.all(this.routes.map((route) => route.putSlot(slot, targets)))
    this.dispatch({ type: 'receipt-sealed', conversation, confirmed: put.includes(true) })
  }

  #openReceipt(effect: EffectOf<'open-receipt'>): void {
    const receipt = openReceipt(effect, this.#components.primitives)
    if (receipt === undefined) return
    this.#devices.learn(receipt.member.device, receipt.addresses)
    this.dispatch(receipt)
  }

  #checkReceipts(found: EffectOf<'check-receipts'>): void {
    const { groupId } = found.epoch
    const { incarnations = [] } = this.state.conversations.get(found.conversation) ?? {}
    const group = incarnations.find((one) => one.groupId === groupId && one.isOver !== true)
    // What other relays signed, or this one about another group, says nothing here.
    const isOurs = group !== undefined && this.#components.groups.decides(group, found.receipts[0])
    if (!isOurs || !this.#evidence.receipts(...found.receipts)) return
    this.#emit(FORKED)
    this.dispatch({ ...found, type: 'forked' })
  }

  #checkHead({ relay, head, storeEpoch, isRefused }: EffectOf<'check-head'>): void {
    const holds = this.#evidence.vouches(relay, head, storeEpoch)
    if (!holds && !isRefused)
      this.#distrust({ relay, reason: 'its signature does not cover its log' })
    if (holds) this.#comparison.changed()
  }

  #distrust({ relay, reason }: { relay: RelayId; reason: string }): void {
    this.#routes.get(relay)?.distrust(reason)
    this.#emit({
      type: 'notice',
      text: `A relay contradicted itself: ${reason}. Nothing was lost.`
    })
  }

  #emit(event: DeliveryEvent): void {
    this.#settleComposed(event)
    this.#init.onEvent(event)
  }

  #settleComposed(event: DeliveryEvent): void {
    if (event.type === 'composed') this.#lastKept = event.entry.local
    this.#composing.settle(event)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof FalseAnswer) return error.reason
  return error instanceof ProtocolError ? error.code : 'internal'
}

function stopped(): UserError {
  return new UserError(
    'stopping',
    'The messenger is stopping; it is not known whether this was kept.',
    {
      hint: 'kith message list shows whether it was.'
    }
  )
}

function storeFailed(cause: unknown): UserError {
  return new UserError('store-failed', 'The store failed, so nothing more can be kept safely.', {
    hint: 'Check free space and the disk, then start again.',
    cause
  })
}
