// A link at work: one side's machine over the meeting place at a relay, with its time-outs and its lost lines.
import { linking, ProtocolError, SECOND_MS } from '@kith/protocols'
import { type Clock, sleep } from '../kernel/clock.ts'
import type { PeerAddress, Rpc } from '../kernel/rpc.ts'
import type { LinkFailure, Talk, TalkEffect, TalkInput } from './talk.ts'

/** Pause before a lost message or a lost line is tried again. */
const RETRY_MS = 500
/** A relay that cannot be reached for this long in a row has gone; both users are waiting in front of a screen. */
const GONE_MS = 20 * SECOND_MS
/** At the end, for what has yet to leave. */
const FLUSH_MS = 5 * SECOND_MS

export interface LinkMessage {
  readonly index: number
  readonly sealed: Uint8Array
}

/** The meeting place of two devices: numbered messages, each written once. */
export interface LinkExchange {
  /** Rejects with ProtocolError; `conflict`: something else is written there. */
  put(message: LinkMessage, signal: AbortSignal): Promise<void>
  /** What is there, then what comes. Ends or throws when the line is lost. */
  watch(signal: AbortSignal): AsyncIterable<LinkMessage>
}

/** The meeting place at a relay. */
export function relayExchange(rpc: Rpc, relay: PeerAddress, rendezvous: Uint8Array): LinkExchange {
  return {
    async put({ index, sealed }, signal) {
      await rpc.request(relay, linking.linkingPut, { rendezvous, index, sealed }, { signal })
    },
    async *watch(signal) {
      const items = await rpc.subscribe(relay, linking.linkingWatch, { rendezvous }, { signal })
      for await (const item of items) {
        items.acknowledge({})
        yield item
      }
    }
  }
}

interface LinkRunInit<State extends Talk, Input, Effect> {
  readonly exchange: LinkExchange
  readonly clock: Clock
  readonly begun: { readonly state: State; readonly effects: readonly (Effect | TalkEffect)[] }
  readonly step: (
    state: State,
    nowMs: number,
    input: Input | TalkInput
  ) => { readonly state: State; readonly effects: readonly (Effect | TalkEffect)[] }
  /** Performs what is not the link's own; answers come back through `dispatch`. */
  readonly perform: (effect: Effect) => void
}

/** The outcome is a value: undefined when the device was linked. */
export class LinkRun<State extends Talk, Input, Effect extends { readonly type: string }> {
  readonly ended: Promise<LinkFailure | undefined>
  readonly #init: LinkRunInit<State, Input, Effect>
  readonly #stopping = new AbortController()
  #state: State
  #puts: Promise<void> = Promise.resolve()
  #cancelTick = (): void => undefined
  #settle: (failure: LinkFailure | undefined) => void = () => undefined

  constructor(init: LinkRunInit<State, Input, Effect>) {
    this.#init = init
    this.#state = init.begun.state
    this.ended = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#perform(init.begun.effects)
    this.#tickLater()
    void this.#watch()
  }

  get state(): State {
    return this.#state
  }

  /** Resolves once everything said so far is at the relay, or cannot be. */
  get said(): Promise<void> {
    return this.#puts
  }

  dispatch(input: Input | TalkInput): void {
    if (this.#state.isOver) return
    const { state, effects } = this.#init.step(this.#state, this.#init.clock.monotonic(), input)
    this.#state = state
    this.#perform(effects)
    this.#tickLater()
  }

  #tickLater(): void {
    const { clock } = this.#init
    this.#cancelTick()
    if (this.#state.isOver) return
    const delayMs = Math.max(RETRY_MS, this.#state.deadlineMs - clock.monotonic())
    this.#cancelTick = clock.schedule(delayMs, () => {
      this.dispatch({ type: 'tick' })
    })
  }

  #perform(effects: readonly (Effect | TalkEffect)[]): void {
    for (const effect of effects) {
      if (isPut(effect)) this.#puts = this.#puts.then(() => this.#put(effect))
      else if (isEnded(effect)) void this.#end(effect.failure)
      else this.#init.perform(effect as Effect)
    }
  }

  async #end(failure: LinkFailure | undefined): Promise<void> {
    const { clock } = this.#init
    // A relay that is gone holds nobody up.
    const cancel = clock.schedule(FLUSH_MS, () => this.#stopping.abort())
    await this.#puts
    cancel()
    this.#stopping.abort()
    this.#settle(failure)
  }

  /** Again and again until it is there: a message whose outcome is unknown is repeated with the same bytes. */
  async #put(message: LinkMessage): Promise<void> {
    const { clock, exchange } = this.#init
    const { signal } = this.#stopping
    const giveUpAtMs = clock.monotonic() + GONE_MS
    while (!signal.aborted) {
      try {
        return await exchange.put(message, signal)
      } catch (error) {
        if (signal.aborted) return
        const code = error instanceof ProtocolError ? error.code : 'internal'
        if (code === 'conflict') return this.#fail('used')
        if (!isPassing(code)) return this.#fail('failed')
        if (clock.monotonic() >= giveUpAtMs) return this.#fail('unreachable')
      }
      await this.#pause()
    }
  }

  async #watch(): Promise<void> {
    const { clock, exchange } = this.#init
    const { signal } = this.#stopping
    let lastMs = clock.monotonic()
    while (!signal.aborted && !this.#state.isOver) {
      try {
        for await (const { index, sealed } of exchange.watch(signal)) {
          lastMs = clock.monotonic()
          this.dispatch({ type: 'message', index, sealed })
          if (this.#state.isOver) return
        }
        lastMs = clock.monotonic()
      } catch (error) {
        if (signal.aborted) return
        const code = error instanceof ProtocolError ? error.code : 'internal'
        if (!isPassing(code)) return this.#fail('failed')
        if (clock.monotonic() - lastMs >= GONE_MS) return this.#fail('unreachable')
      }
      await this.#pause()
    }
  }

  #fail(reason: LinkFailure): void {
    this.dispatch({ type: 'failed', reason })
  }

  #pause(): Promise<void> {
    return sleep(this.#init.clock, RETRY_MS, this.#stopping.signal).catch(() => {
      // Ended: the loop's condition sees it.
    })
  }
}

const isPassing = (code: string): boolean =>
  ['unreachable', 'timeout', 'unavailable', 'rate-limited'].includes(code)

type Put = Extract<TalkEffect, { type: 'put' }>
type Ended = Extract<TalkEffect, { type: 'ended' }>

const isPut = (effect: { readonly type: string }): effect is Put => effect.type === 'put'
const isEnded = (effect: { readonly type: string }): effect is Ended => effect.type === 'ended'
