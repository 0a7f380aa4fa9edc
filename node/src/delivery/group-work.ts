// Changes of groups at work: made, put first by the sequencer, or found with it; what came of each goes back to the
// machine.
import type { ConversationId } from '@kith/protocols'
import type { EpochState, Incarnation } from '../conversations/incarnations.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { FalseAnswer } from './false-answer.ts'
import type { DeliveryEvent, Effect, Input } from './inputs.ts'
import type { MadeChange, Sequenced } from './state.ts'

/** A change of which nobody knows what became is tried again after this. */
const RETRY_MS = 2_000

/** What is asked of groups. */
export interface GroupChanger {
  /** Undefined: there is nothing to change. */
  change(
    incarnation: Incarnation,
    epoch: EpochState,
    signal: AbortSignal
  ): Promise<MadeChange | undefined>
  /** Whose change the sequencer has put first: this one, or another's. */
  sequence(
    asked: { incarnation: Incarnation; epoch: EpochState; change: MadeChange },
    signal: AbortSignal
  ): Promise<Sequenced>
  /** Whether an encoded receipt is of this group and names the relay that decides for it; signatures apart. */
  decides(incarnation: Incarnation, receipt: Uint8Array): boolean
  /** Another's change that has ended the epoch; undefined when none has. */
  decided(
    asked: { incarnation: Incarnation; epoch: EpochState },
    signal: AbortSignal
  ): Promise<Sequenced | undefined>
}

interface GroupWorkComponents {
  readonly groups: GroupChanger
  readonly clock: Clock
  readonly log: Log
}

interface GroupWorkInit {
  readonly dispatch: (input: Input) => void
  readonly emit: (event: DeliveryEvent) => void
  readonly signal: AbortSignal
}

type EffectOf<Type extends Effect['type']> = Extract<Effect, { type: Type }>

export class GroupWork {
  readonly #components: GroupWorkComponents
  readonly #init: GroupWorkInit
  /** Conversations whose relay was said to have answered falsely. */
  readonly #warned = new Set<ConversationId>()

  constructor(components: GroupWorkComponents, init: GroupWorkInit) {
    this.#components = components
    this.#init = init
  }

  async change({ conversation, incarnation, epoch }: EffectOf<'change'>): Promise<void> {
    await this.#changing(conversation, async () => {
      const { groups } = this.#components
      const change = await groups.change(incarnation, epoch, this.#init.signal)
      this.#init.dispatch({ type: 'change-made', conversation, change })
    })
  }

  async sequence({ conversation, ...asked }: EffectOf<'sequence'>): Promise<void> {
    await this.#changing(conversation, async () => {
      const sequenced = await this.#components.groups.sequence(asked, this.#init.signal)
      this.#init.dispatch({ type: 'sequenced', conversation, epoch: asked.epoch, sequenced })
    })
  }

  /** Not tried again by itself: what made it look comes again, or a change of one's own finds the same. */
  async askDecided({ conversation, ...asked }: EffectOf<'ask-decided'>): Promise<void> {
    try {
      const sequenced = await this.#components.groups.decided(asked, this.#init.signal)
      if (sequenced === undefined) return
      this.#init.dispatch({ type: 'decided', conversation, epoch: asked.epoch, sequenced })
    } catch (error) {
      this.#components.log.debug('no-change-found', { cause: String(error) })
      this.#tellFalse(conversation, error)
    }
  }

  async #changing(conversation: ConversationId, work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#components
    const { dispatch } = this.#init
    try {
      await work()
    } catch (error) {
      log.debug('group-not-changed', { cause: String(error) })
      this.#tellFalse(conversation, error)
      dispatch({ type: 'change-failed', conversation })
      clock.schedule(RETRY_MS, () => dispatch({ type: 'reconcile', conversation }))
    }
  }

  /** A relay that answers with a change it did not sign for: said once in a run, asked again all the same. */
  #tellFalse(conversation: ConversationId, error: unknown): void {
    const isFalse = error instanceof FalseAnswer && error.reason === 'false-change'
    if (!isFalse || this.#warned.has(conversation)) return
    this.#warned.add(conversation)
    this.#init.emit({
      type: 'notice',
      text: 'A relay showed another change of a group than it signed for: it was refused, and is asked for again.'
    })
  }
}
