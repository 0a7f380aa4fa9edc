// The runner of pure machines. A machine decides; the shell does. An effect that stands for something stored
// names the transaction it depends on and is performed only once that transaction is on disk, so that an
// acknowledgement before the fsync cannot be written down (DESIGN: "the decisive rule").
import type { Write } from './store/store.ts'

/** A pure decision: no clock, randomness, disk, network or await inside. */
export type Step<State, Input, Effect> = (
  state: State,
  nowMs: number,
  input: Input
) => { readonly state: State; readonly effects: readonly Effect[] }

/**
 * Stands between a machine and its step: a simulator traces every step this way, and breaks one to see that its checks
 * find it.
 */
export type WrapStep = <State, Input, Effect>(
  step: Step<State, Input, Effect>
) => Step<State, Input, Effect>

/** Writes that must be durable before any effect with `after` naming them. */
export interface CommitEffect<Change = Write> {
  readonly type: 'commit'
  /** Greater than that of any transaction before. */
  readonly transaction: number
  readonly writes: readonly Change[]
}

export interface Ordered {
  /** Transaction that must be on disk first, and all before it. Started already, or 0 for none. */
  readonly after?: number
}

/**
 * Inputs that may wait behind one that is being handled: those that effects of its step feed back at once. A
 * machine that answers each input with more than one is in a loop.
 */
export const INPUTS_WAITING_MAX = 10_000

export interface MachineShell<Effect, Change = Write> {
  /** Resolves after fsync. A rejection stops the machine. */
  commit(writes: readonly Change[]): Promise<void>
  /** Performs one effect other than a commit. Results come back through `dispatch`. */
  perform(effect: Effect): void
  now(): number
  onFailure(error: unknown): void
}

/**
 * Runs a machine: inputs are taken one at a time in order of dispatch; effects are performed in order, those
 * with `after` once their transaction and all before it are durable. Stops for good at the first failure: a
 * commit that rejects, a step or effect that throws, an effect after a transaction that was never started.
 *
 * Cryptography is asynchronous, so it is an effect whose result comes back as an input. The state may have moved
 * on by then: keep one such effect in flight per conversation, give it the version of the state it was made
 * from, and let the step drop a result of another version.
 */
export class Machine<
  State,
  Input,
  Effect extends { readonly type: string } & Ordered,
  Change = Write
> {
  #state: State
  readonly #step: Step<State, Input, Effect | CommitEffect<Change>>
  readonly #shell: MachineShell<Effect, Change>
  /** Transactions not on disk yet, or on disk before an earlier one, in order of start. */
  readonly #transactions = new Map<number, Transaction<Effect>>()
  readonly #inputs: Input[] = []
  #lastTransaction = 0
  #stepping = false
  #failed = false

  constructor(
    state: State,
    step: Step<State, Input, Effect | CommitEffect<Change>>,
    shell: MachineShell<Effect, Change>
  ) {
    this.#state = state
    this.#step = step
    this.#shell = shell
  }

  get state(): State {
    return this.#state
  }

  /** Transactions on their way to the disk: whoever feeds the machine slows down while this grows. */
  get pendingTransactions(): number {
    return this.#transactions.size
  }

  /** Feeds one input. Re-entrant calls queue behind the input being handled. Does nothing after a failure. */
  dispatch(input: Input): void {
    if (this.#failed) return
    if (this.#inputs.length >= INPUTS_WAITING_MAX) {
      this.#fail(new Error(`more than ${INPUTS_WAITING_MAX} inputs are waiting`))
      return
    }
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    this.#guard(() => {
      while (this.#inputs.length > 0) this.#handle(this.#inputs.shift() as Input)
    })
    this.#stepping = false
  }

  #handle(input: Input): void {
    const { state, effects } = this.#step(this.#state, this.#shell.now(), input)
    this.#state = state
    for (const effect of effects) this.#start(effect)
  }

  #start(effect: Effect | CommitEffect<Change>): void {
    if (this.#failed) return
    if (isCommit<Change>(effect)) {
      this.#commit(effect)
      return
    }
    const { after = 0 } = effect
    if (after > this.#lastTransaction) {
      throw new Error(`effect ${effect.type} after transaction ${after}, which was not started`)
    }
    const transaction = this.#transactions.get(after)
    if (transaction === undefined) this.#shell.perform(effect)
    else transaction.effects.push(effect)
  }

  #commit({ transaction: number, writes }: CommitEffect<Change>): void {
    if (number <= this.#lastTransaction) {
      throw new Error(`transaction ${number} after ${this.#lastTransaction}`)
    }
    this.#lastTransaction = number
    const transaction: Transaction<Effect> = { effects: [], isDurable: false }
    this.#transactions.set(number, transaction)
    this.#shell.commit(writes).then(
      () => {
        transaction.isDurable = true
        this.#guard(() => this.#release())
      },
      (error: unknown) => this.#fail(error)
    )
  }

  /** Performs what waited for the transactions that are durable with all before them. */
  #release(): void {
    for (const [number, { effects, isDurable }] of this.#transactions) {
      if (!isDurable || this.#failed) return
      this.#transactions.delete(number)
      for (const effect of effects) {
        if (!this.#failed) this.#shell.perform(effect)
      }
    }
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#inputs.length = 0
    this.#transactions.clear()
    this.#shell.onFailure(error)
  }
}

interface Transaction<Effect> {
  readonly effects: Effect[]
  isDurable: boolean
}

function isCommit<Change>(effect: { readonly type: string }): effect is CommitEffect<Change> {
  return effect.type === 'commit'
}
