// The box machine: collects appends into group commits. While one commit is in flight further appends are
// looked up and queue; then all of them get numbers, chains, one Merkle tree and one signature, which is made while
// their transaction is on its way to the disk; only when it is there are they answered and published. Pure; the machine
// owns its state in place.
import type { CommitEffect, Ordered, Write } from '@kith/node/kernel'
import { box as protocol } from '@kith/protocols'
import type { Answer, Append, Box, BoxLimits, BoxNumber, Placement, Publication } from './box.ts'
import {
  LAZY_WRITE_DELAY_MS,
  LAZY_WRITES_MAX,
  QUEUE_APPENDS_MAX,
  QUEUE_BYTES_MAX
} from './constants.ts'
import { addId, createIdFilter, type IdFilter, mayHold } from './id-filter.ts'
import { type Plan, planCommit } from './plan.ts'
import type { RecentPlacements } from './recent.ts'
import { commitPlan, releasePlan } from './seal.ts'

export type BoxInput =
  | { readonly type: 'append'; readonly append: Append }
  /** Placements on disk of the envelopes asked for, in their order. */
  | { readonly type: 'looked-up'; readonly found: readonly (readonly Placement[])[] }
  /** 64 bytes under the message of the `sign` effect. */
  | { readonly type: 'signed'; readonly signature: Uint8Array }
  | { readonly type: 'committed' }
  /** Ids (32 bytes) of envelopes on disk; `isLast` once all that were there at the start have been named. */
  | { readonly type: 'held'; readonly envelopeIds: readonly Uint8Array[]; readonly isLast: boolean }
  /** A new account's box; the ticket is answered once its empty head is signed and durable. */
  | {
      readonly type: 'open'
      readonly ticket: number
      readonly box: BoxNumber
      readonly account: Uint8Array
    }
  /** A device holds everything up to `number`. */
  | { readonly type: 'acknowledged'; readonly box: BoxNumber; readonly number: number }
  /** A write nobody waits for; a later one under the same name replaces it. */
  | { readonly type: 'write-later'; readonly name: string; readonly write: Write }
  | { readonly type: 'flush' }

export type BoxEffect = Ordered &
  (
    | { readonly type: 'look-up'; readonly ids: readonly Uint8Array[] }
    | { readonly type: 'sign'; readonly message: Uint8Array }
    | { readonly type: 'answer'; readonly ticket: number; readonly answer: Answer }
    | { readonly type: 'publish'; readonly publications: readonly Publication[] }
    | { readonly type: 'committed'; readonly lazy: ReadonlyMap<string, Write> }
    | { readonly type: 'flush-later'; readonly delayMs: number }
  )

export interface BoxState {
  /** 16 bytes */
  readonly storeEpoch: Uint8Array
  readonly boxes: Map<BoxNumber, Box>
  readonly recent: RecentPlacements
  readonly filter: IdFilter
  /** Group commits signed since the store epoch began. */
  sequence: number
  /** Store transactions of this run, with and without a signature. */
  transaction: number
  /** Appends by stage: not looked up, being looked up, ready for a commit. */
  arrived: Append[]
  lookingUp: Append[]
  ready: ReadyAppend[]
  /** Bytes of envelopes in the three stages. */
  queuedBytes: number
  /** Boxes opened since the last commit. */
  opened: OpenedBox[]
  /** The commit under way. */
  active: Plan | 'writing' | undefined
  lazy: Map<string, Write>
  flush: 'none' | 'scheduled' | 'due'
}

export interface ReadyAppend {
  readonly append: Append
  /** Where the envelope was on disk when it was looked up. */
  readonly found: readonly Placement[]
}

export interface OpenedBox {
  readonly box: Box
  readonly ticket: number
}

export interface BoxRules {
  readonly sha256: (...parts: Uint8Array[]) => Uint8Array
  readonly limits: BoxLimits
}

type Effects = (BoxEffect | CommitEffect)[]

/** A machine at rest over the boxes that are on disk. */
export function initialBoxState(stored: {
  readonly storeEpoch: Uint8Array
  readonly sequence: number
  readonly boxes: Iterable<Box>
}): BoxState {
  const boxes = new Map<BoxNumber, Box>()
  for (const box of stored.boxes) boxes.set(box.box, box)
  return {
    storeEpoch: stored.storeEpoch,
    boxes,
    recent: { young: new Map(), old: new Map() },
    filter: createIdFilter(),
    sequence: stored.sequence,
    transaction: 0,
    arrived: [],
    lookingUp: [],
    ready: [],
    queuedBytes: 0,
    opened: [],
    active: undefined,
    lazy: new Map(),
    flush: 'none'
  }
}

/** Nothing waits and nothing is being written. */
export function isIdle(state: BoxState): boolean {
  return (
    state.active === undefined &&
    state.lazy.size === 0 &&
    state.arrived.length + state.lookingUp.length + state.ready.length === 0
  )
}

/** The machine's step under these rules. */
export function createBoxStep(rules: BoxRules) {
  return (state: BoxState, nowMs: number, input: BoxInput) => {
    const effects: Effects = []
    take(state, input, effects, rules)
    lookUp(state, effects)
    startCommit(state, nowMs, effects, rules)
    return { state, effects }
  }
}

function take(state: BoxState, input: BoxInput, effects: Effects, rules: BoxRules): void {
  switch (input.type) {
    case 'append':
      enqueue(state, input.append, effects)
      return
    case 'looked-up': {
      const lookedUp = state.lookingUp
      state.lookingUp = []
      lookedUp.forEach((append, index) => {
        state.ready.push({ append, found: input.found[index] ?? [] })
      })
      return
    }
    case 'signed':
      if (typeof state.active !== 'object') return
      effects.push(...releasePlan(state.active, input.signature))
      state.active = 'writing'
      return
    case 'committed':
      state.active = undefined
      return
    case 'held':
      for (const envelopeId of input.envelopeIds) addId(state.filter, envelopeId)
      state.filter.isComplete ||= input.isLast
      return
    case 'open': {
      const { box: number, account, ticket } = input
      const chain = protocol.chainStart(state.storeEpoch, account, rules.sha256)
      const box: Box = { box: number, account, number: 0, chain, bytes: 0, strangers: [] }
      state.boxes.set(number, box)
      state.opened.push({ box, ticket })
      return
    }
    case 'acknowledged': {
      const box = state.boxes.get(input.box)
      const first = box?.strangers[0]
      if (box === undefined || first === undefined || first.number > input.number) return
      box.strangers = box.strangers.filter((entry) => entry.number > input.number)
      return
    }
    case 'write-later':
      state.lazy.set(input.name, input.write)
      if (state.lazy.size >= LAZY_WRITES_MAX) state.flush = 'due'
      else if (state.flush === 'none') {
        state.flush = 'scheduled'
        effects.push({ type: 'flush-later', delayMs: LAZY_WRITE_DELAY_MS })
      }
      return
    case 'flush':
      state.flush = state.lazy.size > 0 ? 'due' : 'none'
      return
  }
}

function enqueue(state: BoxState, append: Append, effects: Effects): void {
  const waiting = state.arrived.length + state.lookingUp.length + state.ready.length
  const bytes = state.queuedBytes + append.envelope.byteLength
  if (waiting >= QUEUE_APPENDS_MAX || bytes > QUEUE_BYTES_MAX) {
    const answer: Answer = { code: 'unavailable', detail: 'append-queue-full' }
    effects.push({ type: 'answer', ticket: append.ticket, answer })
    return
  }
  state.queuedBytes = bytes
  if (mayHold(state.filter, append.envelopeId)) state.arrived.push(append)
  else state.ready.push({ append, found: [] })
}

function lookUp(state: BoxState, effects: Effects): void {
  if (state.lookingUp.length > 0 || state.arrived.length === 0) return
  state.lookingUp = state.arrived
  state.arrived = []
  effects.push({ type: 'look-up', ids: state.lookingUp.map((append) => append.envelopeId) })
}

function startCommit(state: BoxState, nowMs: number, effects: Effects, rules: BoxRules): void {
  while (state.active === undefined) {
    if (state.ready.length === 0 && state.opened.length === 0 && state.flush !== 'due') return
    const plan = planCommit(state, nowMs, rules)
    // Answered at once: refusals, and repeats of envelopes whose own transaction is on disk already.
    for (const answer of plan.answersNow) effects.push({ type: 'answer', ...answer })
    if (plan.message !== undefined) {
      state.active = plan
      effects.push(commitPlan(plan), { type: 'sign', message: plan.message })
    } else if (plan.lazy.size > 0) {
      state.active = 'writing'
      effects.push(commitPlan(plan), ...releasePlan(plan, undefined))
    }
  }
}
