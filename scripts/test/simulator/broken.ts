// Small faults planted in a device's step, each of a kind that a check exists for.
import type { WrapStep } from '@kith/node/kernel'
import type { DeliveryState, Effect } from '@kith/node/testing'
import { deviceIdOf } from '@kith/protocols'

type Written = Readonly<Record<string, unknown>> & { readonly type: string }
type AnyEffect = Readonly<Record<string, unknown>> & { readonly type: string }

interface Stepped {
  readonly state: DeliveryState
  readonly effects: readonly AnyEffect[]
}

/** A wrapper that changes what steps of delivery yield. */
function breaking(change: (stepped: Stepped, input: { type: string }) => Stepped): WrapStep {
  return (step) => (state, nowMs, input) => {
    const stepped = step(state, nowMs, input) as unknown as Stepped
    return change(stepped, input as { type: string }) as never
  }
}

const isMessage = (effect: AnyEffect): boolean =>
  effect.type === 'event' && (effect.event as { type: string }).type === 'message'

/** Changes the messages of a step, where they are told and where they are written. */
function breakingMessages(change: (message: object) => object): WrapStep {
  return breaking(({ state, effects }) => ({
    state,
    effects: effects.map((effect) => {
      if (isMessage(effect)) {
        const event = effect.event as { message: object }
        return { ...effect, event: { ...event, message: change(event.message) } }
      }
      return withWrites(effect, (write) =>
        write.type === 'timeline'
          ? [{ ...write, message: change(write.message as object) }]
          : [write]
      )
    })
  }))
}

function withWrites(effect: AnyEffect, change: (write: Written) => readonly Written[]): AnyEffect {
  if (effect.type !== 'commit') return effect
  return { ...effect, writes: (effect.writes as readonly Written[]).flatMap(change) }
}

function breakingConversations(change: (conversation: Conversation) => Conversation): WrapStep {
  return breaking(({ state, effects }) => {
    const conversations = new Map(
      [...state.conversations].map(([id, one]) => [id, change(one)] as const)
    )
    return { state: { ...state, conversations }, effects }
  })
}

type Conversation =
  DeliveryState['conversations'] extends ReadonlyMap<unknown, infer One> ? One : never

const withoutAfter = (effect: AnyEffect): AnyEffect => {
  const { after: _, ...early } = effect
  return early as AnyEffect
}

/** Says what it does before that is on disk. */
export const tellsEarly = breaking(({ state, effects }) => ({
  state,
  effects: effects.map((effect) =>
    effect.type === ('event' satisfies Effect['type']) ? withoutAfter(effect) : effect
  )
}))

/** Acknowledges a device's envelope before it is on disk. */
export const answersEarly = breaking(({ state, effects }) => ({
  state,
  effects: effects.map((effect) => (effect.type === 'answer' ? withoutAfter(effect) : effect))
}))

/** Takes everybody's messages for another device's. */
export const mistakesAuthor = breakingMessages((message) => ({
  ...message,
  device: deviceIdOf(new Uint8Array(32).fill(7))
}))

/** Tells of each message twice. */
export const showsTwice = breaking(({ state, effects }) => ({
  state,
  effects: effects.flatMap((effect) => (isMessage(effect) ? [effect, effect] : [effect]))
}))

/** Forgets the duplicate marks of what it receives. */
export const forgetsMarks = breaking(({ state, effects }, { type }) => ({
  state,
  effects: effects.map((effect) =>
    type === 'opened'
      ? withWrites(effect, (write) => (write.type === 'mark' ? [] : [write]))
      : effect
  )
}))

/** Swaps bytes of what it shows. */
export const swapsBytes = breakingMessages((message) => ({
  ...message,
  text: [...(message as { text: string }).text].reverse().join('')
}))

/** Does not keep what others have named and it lacks. */
export const forgetsHeads = breakingConversations((conversation) => ({
  ...conversation,
  missingHeads: []
}))

/** Puts every other message at the top. */
export const misplaces = breakingMessages((message) => {
  const { counter, depth } = message as { counter: number; depth: number }
  return { ...message, depth: counter % 2 === 0 ? 1 : depth }
})

/** Takes gaps for closed. */
export const skipsGaps = breakingConversations((conversation) => ({
  ...conversation,
  received: new Map(
    [...conversation.received].map(([device, ranges]) => {
      const last = ranges.at(-1)
      return [device, last === undefined ? ranges : [{ from: 1, to: last.to }]]
    })
  )
}))

const losesMessagesOf = (input: string): WrapStep =>
  breaking(({ state, effects }, { type }) => ({
    state,
    effects: effects.map((effect) =>
      type === input
        ? withWrites(effect, (write) => (write.type === 'timeline' ? [] : [write]))
        : effect
    )
  }))

/** Does not write down what it sends. */
export const losesOwn = losesMessagesOf('sealed')

/** Does not write down what it shows. */
export const losesShown = losesMessagesOf('opened')

/** Never sends again. */
export const sendsOnce = breaking(({ state, effects }, { type }) => ({
  state,
  effects: ['online', 'device-online', 'retry-append'].includes(type)
    ? effects.filter((effect) => !['append', 'deliver'].includes(effect.type))
    : effects
}))
