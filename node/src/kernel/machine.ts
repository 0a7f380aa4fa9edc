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

/** Writes that must be durable before any effect with `after` naming them. */
export interface CommitEffect<Change = Write> {
  readonly type: 'commit'
  /** Unique within the machine. */
  readonly transaction: number
  readonly writes: readonly Change[]
}

export interface Ordered {
  /** Transaction that must be on disk first. */
  readonly after?: number
}

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
 * with `after` once their transaction is durable.
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
  readonly #waiting = new Map<number, Effect[]>()
  readonly #inputs: Input[] = []
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

  /** Feeds one input. Re-entrant calls queue behind the input being handled. */
  dispatch(input: Input): void {
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        if (this.#failed) continue
        const { state, effects } = this.#step(this.#state, this.#shell.now(), next)
        this.#state = state
        for (const effect of effects) this.#start(effect)
      }
    } finally {
      this.#stepping = false
    }
  }

  #start(effect: Effect | CommitEffect<Change>): void {
    if (isCommit<Change>(effect)) {
      this.#commit(effect)
      return
    }
    const waiting = effect.after === undefined ? undefined : this.#waiting.get(effect.after)
    if (waiting === undefined) this.#shell.perform(effect)
    else waiting.push(effect)
  }

  #commit({ transaction, writes }: CommitEffect<Change>): void {
    this.#waiting.set(transaction, [])
    this.#shell.commit(writes).then(
      () => {
        const released = this.#waiting.get(transaction) ?? []
        this.#waiting.delete(transaction)
        for (const effect of released) this.#shell.perform(effect)
      },
      (error: unknown) => {
        this.#failed = true
        this.#waiting.clear()
        this.#shell.onFailure(error)
      }
    )
  }
}

function isCommit<Change>(effect: { readonly type: string }): effect is CommitEffect<Change> {
  return effect.type === 'commit'
}
