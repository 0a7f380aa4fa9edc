// The boxes of this relay: runs the box machine over the store and hands fresh entries to subscribers.
import {
  type Clock,
  type Failpoint,
  Machine,
  type Primitives,
  type Store,
  StoreError,
  type WrapStep,
  type Write
} from '@kith/node/kernel'
import { ProtocolError, box as protocol } from '@kith/protocols'
import type { Meta } from '../storage/meta.ts'
import type { Answer, Append, BoxLimits, BoxNumber } from './box.ts'
import { HELD_IDS_PER_INPUT, QUEUE_RETRY_MS, TURNS_BEFORE_SIGNING } from './constants.ts'
import { Live } from './live.ts'
import { loadBoxes, loadEnvelopeIds, loadHead, loadPlacements } from './records.ts'
import {
  type BoxEffect,
  type BoxInput,
  type BoxState,
  createBoxStep,
  initialBoxState,
  isIdle
} from './state.ts'

export interface BoxesComponents {
  readonly store: Store
  readonly primitives: Primitives
  readonly clock: Clock
  readonly limits: BoxLimits
  /** 32 bytes, Ed25519 seed of the relay; signs heads. */
  readonly privateKey: Uint8Array
  /** Resolves once on disk. A rejection means that the store has failed and the relay must end. */
  readonly commit: (writes: readonly Write[]) => Promise<void>
  /** Called once when the machine cannot go on. */
  readonly onFailure: (error: unknown) => void
  readonly failpoint?: Failpoint | undefined
  readonly wrapStep?: WrapStep | undefined
}

/** The boxes of this relay, as the services use them. */
export interface Boxes {
  /** 16 bytes */
  readonly storeEpoch: Uint8Array
  readonly live: Live
  readonly count: number
  /** Entries of all boxes together. */
  readonly entries: number
  has(box: BoxNumber): boolean
  /** Entries and bytes of a box, also those on their way to the disk. */
  sizeOf(box: BoxNumber): { readonly number: number; readonly bytes: number }
  /** The envelope's number in the sender's own box, once it is on disk. Throws `quota` or `unavailable`. */
  append(append: Omit<Append, 'ticket'>): Promise<number>
  /** Resolves once the box and its signed head are on disk. */
  open(box: BoxNumber, account: Uint8Array): Promise<void>
  /** The newest durable head. */
  head(box: BoxNumber): Promise<protocol.SignedHead>
  acknowledge(box: BoxNumber, number: number): void
  /** Rides in the next group commit; a later write under the same name replaces it. */
  writeLater(name: string, write: Write): void
  /** Called with the lazy writes of each transaction that is on disk. */
  onLazyWrites(listener: (writes: ReadonlyMap<string, Write>) => void): void
  /** Resolves once nothing is read in the background, no commit is under way and no lazy write waits. */
  stop(): Promise<void>
}

/** Reads every box record and starts the machine. */
export async function openBoxes(components: BoxesComponents, meta: Meta): Promise<Boxes> {
  const boxes = await loadBoxes(components.store)
  return new MachineBoxes(components, initialBoxState({ ...meta, boxes }))
}

interface Waiting {
  resolve(number: number): void
  reject(error: ProtocolError): void
}

class MachineBoxes implements Boxes {
  readonly live = new Live()
  readonly #components: BoxesComponents
  readonly #machine: Machine<BoxState, BoxInput, BoxEffect>
  readonly #waiting = new Map<number, Waiting>()
  readonly #lazyListeners: ((writes: ReadonlyMap<string, Write>) => void)[] = []
  readonly #settled: (() => void)[] = []
  readonly #remembering: Promise<void>
  #tickets = 0
  #isStopping = false
  #failed = false

  constructor(components: BoxesComponents, state: BoxState) {
    this.#components = components
    const { primitives, limits, clock, commit, failpoint, wrapStep } = components
    const step = createBoxStep({ sha256: primitives.sha256, limits })
    this.#machine = new Machine<BoxState, BoxInput, BoxEffect>(state, wrapStep?.(step) ?? step, {
      commit: (writes) => {
        failpoint?.('relay-commit')
        return commit(writes)
      },
      perform: (effect) => this.#perform(effect),
      now: () => clock.now(),
      onFailure: (error) => this.#fail(error)
    })
    this.#remembering = this.#rememberHeld()
  }

  get storeEpoch(): Uint8Array {
    return this.#machine.state.storeEpoch
  }

  get count(): number {
    return this.#machine.state.boxes.size
  }

  sizeOf(box: BoxNumber): { readonly number: number; readonly bytes: number } {
    return this.#machine.state.boxes.get(box) ?? { number: 0, bytes: 0 }
  }

  get entries(): number {
    let sum = 0
    for (const box of this.#machine.state.boxes.values()) sum += box.number
    return sum
  }

  has(box: BoxNumber): boolean {
    return this.#machine.state.boxes.has(box)
  }

  append(append: Omit<Append, 'ticket'>): Promise<number> {
    return this.#request((ticket) => ({ type: 'append', append: { ...append, ticket } }))
  }

  async open(box: BoxNumber, account: Uint8Array): Promise<void> {
    await this.#request((ticket) => ({ type: 'open', ticket, box, account }))
  }

  async head(box: BoxNumber): Promise<protocol.SignedHead> {
    const known = this.live.head(box)
    if (known !== undefined) return known
    const stored = await loadHead(this.#components.store, box)
    if (stored === undefined) throw new ProtocolError('unavailable', 'box-not-open')
    return this.live.offerHead(box, this.#signHead(stored))
  }

  acknowledge(box: BoxNumber, number: number): void {
    this.#machine.dispatch({ type: 'acknowledged', box, number })
  }

  writeLater(name: string, write: Write): void {
    this.#machine.dispatch({ type: 'write-later', name, write })
  }

  onLazyWrites(listener: (writes: ReadonlyMap<string, Write>) => void): void {
    this.#lazyListeners.push(listener)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#remembering
    while (!this.#failed && !isIdle(this.#machine.state)) {
      const settled = new Promise<void>((resolve) => this.#settled.push(resolve))
      this.#machine.dispatch({ type: 'flush' })
      await settled
    }
  }

  /** Tells the machine which envelopes are on disk; until it knows all, it asks the store for each. */
  async #rememberHeld(): Promise<void> {
    try {
      for await (const envelopeIds of loadEnvelopeIds(this.#components.store, HELD_IDS_PER_INPUT)) {
        if (this.#isStopping) return
        const isLast = envelopeIds.length < HELD_IDS_PER_INPUT
        this.#machine.dispatch({ type: 'held', envelopeIds, isLast })
      }
    } catch (error) {
      if (!this.#isStopping) this.#fail(error)
    }
  }

  #request(inputOf: (ticket: number) => BoxInput): Promise<number> {
    if (this.#failed) return Promise.reject(storeFailed())
    const ticket = ++this.#tickets
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject })
      this.#machine.dispatch(inputOf(ticket))
    })
  }

  #perform(effect: BoxEffect): void {
    const { store, clock } = this.#components
    switch (effect.type) {
      case 'look-up':
        loadPlacements(store, effect.ids).then(
          (found) => {
            this.#machine.dispatch({ type: 'looked-up', found })
            this.#settle()
          },
          (error: unknown) => this.#fail(error)
        )
        return
      case 'sign':
        void this.#signCommit(effect.message)
        return
      case 'committed':
        this.#components.failpoint?.('relay-answer')
        this.#machine.dispatch({ type: 'committed' })
        for (const listener of this.#lazyListeners) listener(effect.lazy)
        this.#settle()
        return
      case 'publish':
        this.live.publish(effect.publications)
        return
      case 'answer':
        this.#answer(effect.ticket, effect.answer)
        return
      case 'flush-later':
        clock.schedule(effect.delayMs, () => this.#machine.dispatch({ type: 'flush' }))
        return
    }
  }

  /** Once the batch is with the disk, so that signing takes place while it syncs. */
  async #signCommit(message: Uint8Array): Promise<void> {
    for (let turn = 0; turn < TURNS_BEFORE_SIGNING; turn += 1) await undefined
    const { primitives, privateKey } = this.#components
    const signature = primitives.sign(privateKey, message)
    this.#machine.dispatch({ type: 'signed', signature })
  }

  /** A head from the disk: the signature is made anew, and is the one that it had (RFC 8032 §5.1.6). */
  #signHead({ commit, ...rest }: protocol.SignedHead): protocol.SignedHead {
    if (commit === undefined) throw new StoreError('corrupt', 'a head without its commit')
    const { primitives, privateKey } = this.#components
    const signature = primitives.sign(privateKey, protocol.commitToSign(commit.commit))
    return { ...rest, commit: { ...commit, signature } }
  }

  /** Whoever waits for rest looks again. */
  #settle(): void {
    for (const resolve of this.#settled.splice(0)) resolve()
  }

  #answer(ticket: number, answer: Answer): void {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if ('number' in answer) waiting?.resolve(answer.number)
    else {
      const { code, detail } = answer
      const retryAfterMs = code === 'unavailable' ? QUEUE_RETRY_MS : undefined
      waiting?.reject(new ProtocolError(code, detail, { retryAfterMs }))
    }
  }

  /** Nothing that was not on disk is ever answered as if it were. */
  #fail(error: unknown): void {
    this.#failed = true
    for (const waiting of this.#waiting.values()) waiting.reject(storeFailed())
    this.#waiting.clear()
    this.#settle()
    this.#components.onFailure(error)
  }
}

const storeFailed = (): ProtocolError => new ProtocolError('unavailable', 'store-failed')
