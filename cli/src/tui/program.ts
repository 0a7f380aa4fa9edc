// The running full-screen terminal: one model, the inputs that change it, the effects that follow, and who wants to see it.
// Knows no terminal; see run.node.tsx.
import type { Clock } from '../clock.ts'
import { pause } from '../clock.ts'
import type { Session } from '../command.ts'
import { liveEvents } from '../live-events.ts'
import { Effects, type Surroundings, wordsOf } from './effects.ts'
import type { Model } from './model/model.ts'
import { step } from './model/step.ts'
import type { Input } from './model/step-input.ts'

/** Before following events is tried again after a failure; the reason stands on the screen meanwhile. */
const RETRY_MS = 2_000

export interface ProgramInit {
  readonly model: Model
  readonly clock: Clock
  readonly startedAtMs: number
  readonly signal: AbortSignal
  readonly outside: Omit<Surroundings, 'dispatch' | 'api'>
}

export class Program {
  private readonly init: ProgramInit
  private readonly effects: Effects
  private readonly watchers = new Set<() => void>()
  /** Texts that are on their way into the outbox. */
  private readonly sending = new Set<Promise<void>>()
  private session: Session | undefined
  private current: Model

  constructor(init: ProgramInit) {
    this.init = init
    this.current = init.model
    this.effects = new Effects({
      ...init.outside,
      dispatch: (input) => this.dispatch(input),
      api: () => {
        if (this.session === undefined) throw new Error('there is no messenger yet')
        return this.session.api
      }
    })
  }

  get model(): Model {
    return this.current
  }

  /** Called after each change, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  dispatch(input: Input): void {
    const { model, effects } = step(this.current, input)
    const isChanged = model !== this.current
    this.current = model
    if (isChanged) for (const watcher of this.watchers) watcher()
    for (const effect of effects) {
      const performed = this.effects.perform(effect)
      if (effect.do !== 'send') continue
      this.sending.add(performed)
      void performed.then(() => this.sending.delete(performed))
    }
  }

  /** Resolves when every text that was sent is stored or refused. */
  async settled(): Promise<void> {
    await Promise.all(this.sending)
  }

  /** Reads what there is and follows what happens, until the signal aborts. */
  attach(session: Session): void {
    this.session = session
    session.onReopened(() => this.dispatch({ type: 'reopened' }))
    void this.effects.perform({ do: 'load' })
    void this.follow(session)
  }

  private async follow(session: Session): Promise<void> {
    const { clock, startedAtMs, signal } = this.init
    while (!signal.aborted) {
      try {
        for await (const event of liveEvents(session, { clock, startedAtMs, signal })) {
          this.dispatch({ type: 'event', event, nowMs: clock.now() })
        }
      } catch (error) {
        if (signal.aborted) return
        this.dispatch({ type: 'status', text: wordsOf(error), isError: true })
      }
      await pause(clock, RETRY_MS, signal)
    }
  }
}
