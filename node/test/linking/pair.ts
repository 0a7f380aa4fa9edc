// The two sides of a link with a meeting place between them that does what a test wants: loses, repeats, delays,
// changes and forges messages. Time stands still until it is moved.
import { type AccountId, accountIdOf, type DeviceId, deviceIdOf } from '@kith/protocols'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import {
  beginNew,
  createNewStep,
  type NewEffect,
  type NewInput,
  type NewState
} from '../../src/linking/new-device.ts'
import {
  beginOld,
  createOldStep,
  type OldEffect,
  type OldInput,
  type OldState
} from '../../src/linking/old-device.ts'
import type { LinkFailure, LinkSeeds, Talk } from '../../src/linking/talk.ts'

export const ACCOUNT: AccountId = accountIdOf(new Uint8Array(32).fill(9))
export const BUNDLE = new TextEncoder().encode('what a device needs to know')

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

export const seedsOf = (value: number, secret = 1): LinkSeeds => ({
  secret: bytes(16, secret),
  agreement: bytes(32, value),
  nonce: bytes(32, value + 1),
  sealing: bytes(32, value + 2)
})

export interface Message {
  readonly index: number
  readonly sealed: Uint8Array
}

type Step<State, Input, Effect> = (
  state: State,
  nowMs: number,
  input: Input
) => { readonly state: State; readonly effects: readonly Effect[] }

/** One device: its machine, what it said, and what it wanted done. */
export class Device<State extends Talk, Input, Effect extends { readonly type: string }> {
  state: State
  nowMs = 0
  readonly effects: Effect[] = []
  /** Not delivered yet. */
  readonly said: Message[] = []
  readonly #step: Step<State, Input, Effect>

  constructor(
    begun: { readonly state: State; readonly effects: readonly Effect[] },
    step: Step<State, Input, Effect>
  ) {
    this.state = begun.state
    this.#step = step
    this.#take(begun.effects)
  }

  input(input: Input): void {
    const { state, effects } = this.#step(this.state, this.nowMs, input)
    this.state = state
    this.#take(effects)
  }

  of<Type extends Effect['type']>(type: Type): Extract<Effect, { type: Type }>[] {
    return this.effects.filter((effect) => effect.type === type) as never
  }

  #take(effects: readonly Effect[]): void {
    this.effects.push(...effects)
    for (const effect of effects) {
      if (effect.type !== 'put') continue
      const { index, sealed } = effect as unknown as Message
      this.said.push({ index, sealed })
    }
  }
}

export type Old = Device<OldState, OldInput, OldEffect>
export type New = Device<NewState, NewInput, NewEffect>

export const oldDevice = (seed = 10, secret = 1): Old =>
  new Device(
    beginOld({ seeds: seedsOf(seed, secret), account: ACCOUNT, name: 'alice' }, 0, primitives),
    createOldStep(primitives)
  )

export const newDevice = (seed = 20, secret = 1, name = 'phone'): New =>
  new Device(
    beginNew(
      { seeds: seedsOf(seed, secret), device: primitives.keyPair(bytes(32, seed + 3)), name },
      0
    ),
    createNewStep(primitives)
  )

export const idOf = (device: New): DeviceId => deviceIdOf(device.state.device.publicKey)

/** Delivers everything that was said to both, as a relay does, until nobody says anything more. */
export function carry(old: Old, fresh: New, change: (message: Message) => Message[] = (m) => [m]) {
  for (;;) {
    const said = [...old.said.splice(0), ...fresh.said.splice(0)]
    if (said.length === 0) return
    for (const message of said.flatMap(change)) {
      old.input({ type: 'message', ...message })
      fresh.input({ type: 'message', ...message })
    }
  }
}

/** Why it ended, once for each time it said so. */
export const failureOf = ({ effects }: Old | New): readonly (LinkFailure | undefined)[] => {
  const all: readonly (OldEffect | NewEffect)[] = effects
  return all.flatMap((effect) => (effect.type === 'ended' ? [effect.failure] : []))
}
