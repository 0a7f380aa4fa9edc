// One group commit before its signature: which appends go in, the number of each entry, the chain of each box
// touched, and the Merkle tree over their heads.
import type { Write } from '@kith/node/kernel'
import { box as protocol } from '@kith/protocols'
import type {
  Answer,
  Append,
  Box,
  BoxLimits,
  BoxNumber,
  Destination,
  NewEntry,
  Placement,
  Refusal,
  StrangerEntry
} from './box.ts'
import { COMMIT_ENTRIES_MAX } from './constants.ts'
import { addId } from './id-filter.ts'
import { recall, remember } from './recent.ts'
import type { BoxRules, BoxState, ReadyAppend } from './state.ts'

export interface TicketAnswer {
  readonly ticket: number
  readonly answer: Answer
}

/** A box this commit adds to. */
export interface TouchedBox {
  readonly box: Box
  readonly entries: NewEntry[]
}

export interface Plan {
  readonly transaction: number
  readonly sequence: number
  readonly atMs: number
  readonly touched: ReadonlyMap<BoxNumber, TouchedBox>
  /** Each envelope once, with every place it is at after this commit. */
  readonly envelopes: ReadonlyMap<string, { append: Append; placements: readonly Placement[] }>
  readonly answersNow: readonly TicketAnswer[]
  /** Given once the transaction is on disk. */
  readonly answersAfter: readonly TicketAnswer[]
  readonly lazy: ReadonlyMap<string, Write>
  /** Encoded Commit and its tree; undefined when no box is touched. */
  readonly commit: Uint8Array | undefined
  readonly tree: protocol.MerkleTree | undefined
  /** What the relay signs; undefined when no box is touched. */
  readonly message: Uint8Array | undefined
}

/** Takes what is ready out of the state and decides the next group commit. */
export function planCommit(state: BoxState, nowMs: number, rules: BoxRules): Plan {
  const draft = new Draft(state, rules)
  for (const { box, ticket } of state.opened) {
    draft.touch(box)
    draft.answersAfter.push({ ticket, answer: { number: 0 } })
  }
  state.opened = []
  takeReady(state, draft)

  const { lazy } = state
  state.lazy = new Map()
  if (state.flush === 'due') state.flush = 'none'

  if (draft.touched.size > 0 || lazy.size > 0) state.transaction += 1
  if (draft.touched.size > 0) state.sequence += 1
  const planned = {
    transaction: state.transaction,
    sequence: state.sequence,
    atMs: nowMs,
    touched: draft.touched,
    envelopes: draft.envelopes,
    answersNow: draft.answersNow,
    answersAfter: draft.answersAfter,
    lazy
  }
  return { ...planned, ...commitOf(state.storeEpoch, planned, rules) }
}

function takeReady(state: BoxState, draft: Draft): void {
  let entries = 0
  let taken = 0
  for (const ready of state.ready) {
    if (taken > 0 && entries + ready.append.destinations.length > COMMIT_ENTRIES_MAX) break
    entries += ready.append.destinations.length
    taken += 1
    state.queuedBytes -= ready.append.envelope.byteLength
    draft.place(ready)
  }
  state.ready = taken === state.ready.length ? [] : state.ready.slice(taken)
}

function commitOf(
  storeEpoch: Uint8Array,
  plan: Pick<Plan, 'touched' | 'sequence' | 'atMs'>,
  { sha256 }: BoxRules
): Pick<Plan, 'commit' | 'tree' | 'message'> {
  if (plan.touched.size === 0) return { commit: undefined, tree: undefined, message: undefined }
  const leaves = Array.from(plan.touched.values(), ({ box }) =>
    protocol.boxHeadLeaf({ box: box.account, number: box.number, chain: box.chain })
  )
  const tree = protocol.merkleTree(leaves, sha256)
  const commit = protocol.Commit.encode({
    storeEpoch,
    sequence: plan.sequence,
    leafCount: leaves.length,
    root: tree.root,
    committedAtMs: plan.atMs
  })
  return { commit, tree, message: protocol.commitToSign(commit) }
}

/** The commit being planned. */
class Draft {
  readonly touched = new Map<BoxNumber, TouchedBox>()
  readonly envelopes = new Map<string, { append: Append; placements: readonly Placement[] }>()
  readonly answersNow: TicketAnswer[] = []
  readonly answersAfter: TicketAnswer[] = []
  readonly #state: BoxState
  readonly #rules: BoxRules

  constructor(state: BoxState, rules: BoxRules) {
    this.#state = state
    this.#rules = rules
  }

  touch(box: Box): TouchedBox {
    const known = this.touched.get(box.box)
    if (known !== undefined) return known
    const touched = { box, entries: [] }
    this.touched.set(box.box, touched)
    return touched
  }

  /** All destinations or none. An envelope that is in a box already keeps its number there. */
  place({ append, found }: ReadyAppend): void {
    const known = recall(this.#state.recent, append.id) ?? found
    const missing =
      known.length === 0
        ? append.destinations
        : append.destinations.filter(({ box }) => !known.some((place) => place.box === box))
    const refusal = this.#refusalOf(append, missing)
    if (refusal !== undefined) {
      this.answersNow.push({ ticket: append.ticket, answer: refusal })
      return
    }
    const placements = [...known]
    for (const { box: number, trusted } of missing) {
      placements.push({ box: number, number: this.#add(number, trusted, append) })
    }
    if (missing.length > 0) {
      this.envelopes.set(append.id, { append, placements })
      remember(this.#state.recent, append.id, placements)
      addId(this.#state.filter, append.envelopeId)
    }
    const own = senderOf(append)
    const number = placements.find((place) => place.box === own)?.number ?? 0
    // A repeat inside this very commit is as durable as the commit; any other repeat is on disk.
    const answers = this.envelopes.has(append.id) ? this.answersAfter : this.answersNow
    answers.push({ ticket: append.ticket, answer: { number } })
  }

  #refusalOf(append: Append, missing: Append['destinations']): Refusal | undefined {
    for (const destination of missing) {
      const box = this.#state.boxes.get(destination.box)
      const full =
        box === undefined ? 'unknown' : fullness(box, append, destination, this.#rules.limits)
      if (full !== undefined) {
        const index = append.destinations.indexOf(destination)
        return { code: 'quota', detail: `destination-${index}-${full}` }
      }
    }
    return undefined
  }

  #add(number: BoxNumber, trusted: boolean, append: Append): number {
    const box = this.#state.boxes.get(number) as Box
    const bytes = append.envelope.byteLength
    box.number += 1
    box.chain = protocol.chainNext(box.chain, box.number, append.envelopeId, this.#rules.sha256)
    box.bytes += bytes
    if (!trusted) {
      const sender = senderOf(append)
      box.strangers = [...box.strangers, { number: box.number, sender, bytes }]
    }
    this.touch(box).entries.push({ number: box.number, append })
    return box.number
  }
}

/** The sender's own box is the first destination. */
const senderOf = ({ destinations }: Append): BoxNumber => (destinations[0] as Destination).box

function fullness(
  box: Box,
  append: Append,
  { trusted, isBlocked = false }: Destination,
  limits: BoxLimits
): 'full' | 'stranger-quota' | undefined {
  const bytes = append.envelope.byteLength
  if (box.number >= limits.boxEntriesMax || box.bytes + bytes > limits.boxBytesMax) return 'full'
  if (isBlocked) return 'stranger-quota'
  if (trusted) return undefined
  const sender = senderOf(append)
  const own = box.strangers.filter((entry) => entry.sender === sender)
  const isOver =
    box.strangers.length >= limits.strangerEntriesMax ||
    own.length >= limits.eachStrangerEntriesMax ||
    bytes + sizeOf(box.strangers) > limits.strangerBytesMax ||
    bytes + sizeOf(own) > limits.eachStrangerBytesMax
  return isOver ? 'stranger-quota' : undefined
}

const sizeOf = (entries: readonly StrangerEntry[]): number =>
  entries.reduce((sum, entry) => sum + entry.bytes, 0)
