// What both sides of a link have in common: messages sealed at their positions, taken in order however they arrive,
// and the end of it. Pure. The messages are described in protocols/src/linking/README.md.
import { decodeBounded, linking, ProtocolError } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import type { Primitives } from '../kernel/primitives.ts'
import { EMOJI_SHOWN, type Emoji, emojiOf } from './emoji.ts'

export type LinkTools = Pick<
  Primitives,
  'sha256' | 'hkdf' | 'seal' | 'open' | 'sign' | 'verify' | 'agree' | 'agreementKey'
>

/**
 * Why a link ended without a device: `refused` this user, `refused-there` the other one; `failed` this side could
 * not do its part, `failed-there` the other; `used` somebody else is at it; `damaged` what came is not what was
 * sent; `unknown` nobody is at the meeting place.
 */
export type LinkFailure =
  | 'refused'
  | 'refused-there'
  | 'cancelled'
  | 'cancelled-there'
  | 'expired'
  | 'unknown'
  | 'used'
  | 'damaged'
  | 'version'
  | 'failed'
  | 'failed-there'
  | 'unreachable'

/** What is random in a link, drawn before it begins. */
export interface LinkSeeds {
  /** 16 bytes, the secret of the code. */
  readonly secret: Uint8Array
  /** 32 bytes, X25519 private key of this link. */
  readonly agreement: Uint8Array
  /** 32 bytes */
  readonly nonce: Uint8Array
  /** 32 bytes, source of the seals' nonces. */
  readonly sealing: Uint8Array
}

export interface Talk {
  readonly seeds: LinkSeeds
  readonly sent: ReadonlyMap<number, Uint8Array>
  /** Came before its turn. */
  readonly held: ReadonlyMap<number, Uint8Array>
  /** Position of the other side's next message. */
  readonly expected: number
  /** Hash of each message that the emoji stand for. */
  readonly said: readonly Uint8Array[]
  /** 32 bytes, once both agreement keys are known. */
  readonly agreed: Uint8Array | undefined
  readonly deadlineMs: number
  readonly isOver: boolean
}

/** Common to both sides. */
export type TalkInput =
  | { readonly type: 'message'; readonly index: number; readonly sealed: Uint8Array }
  /** The user compared the emoji. */
  | { readonly type: 'answer'; readonly isSame: boolean }
  /** Time has passed. */
  | { readonly type: 'tick' }
  | { readonly type: 'failed'; readonly reason: LinkFailure }

export type TalkEffect =
  | { readonly type: 'put'; readonly index: number; readonly sealed: Uint8Array }
  | { readonly type: 'ended'; readonly failure: LinkFailure | undefined }

/** Refusals as they travel. */
const TOLD: Partial<Record<LinkFailure, string>> = {
  refused: 'refused',
  cancelled: 'cancelled',
  expired: 'expired',
  damaged: 'damaged',
  version: 'version',
  used: 'used',
  failed: 'failed'
}

const HEARD: Readonly<Record<string, LinkFailure>> = {
  refused: 'refused-there',
  cancelled: 'cancelled-there',
  expired: 'expired',
  damaged: 'damaged',
  version: 'version',
  used: 'used'
}

const NONCE_BYTES = 12
const KEY_BYTES = 32
const NO_SALT = new Uint8Array(0)

/** Where the two meet: 32 bytes that tell a relay nothing of the secret. */
export function rendezvousOf(secret: Uint8Array, { hkdf }: Pick<LinkTools, 'hkdf'>): Uint8Array {
  return hkdf(secret, NO_SALT, linking.LINK_LABELS.rendezvous, KEY_BYTES)
}

/** A talk in which nothing was said. */
export function beginTalk(
  seeds: LinkSeeds,
  options: { expected: number; deadlineMs: number }
): Talk {
  return {
    seeds,
    sent: new Map(),
    held: new Map(),
    said: [],
    agreed: undefined,
    isOver: false,
    ...options
  }
}

/** One step of a side in the making. */
export class TalkTurn<State extends Talk, Effect> {
  state: State
  readonly nowMs: number
  readonly tools: LinkTools
  readonly effects: (Effect | TalkEffect)[] = []

  constructor(state: State, nowMs: number, tools: LinkTools) {
    this.state = state
    this.nowMs = nowMs
    this.tools = tools
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change }
  }

  setTalk(change: Partial<Talk>): void {
    this.state = { ...this.state, ...change }
  }

  say(index: number, message: Uint8Array): void {
    const { seeds, sent } = this.state
    const { hkdf, seal } = this.tools
    const place = new Uint8Array([index])
    const nonce = hkdf(seeds.sealing, NO_SALT, place, NONCE_BYTES)
    const sealed = concat([nonce, seal(this.#key(index), nonce, message, place)])
    this.setTalk({ sent: new Map(sent).set(index, sealed) })
    this.effects.push({ type: 'put', index, sealed })
  }

  /** What stands at a position; undefined when it was not sealed by somebody who has the keys of it. */
  hear(index: number, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.byteLength < NONCE_BYTES) return undefined
    const nonce = sealed.slice(0, NONCE_BYTES)
    const place = new Uint8Array([index])
    return this.tools.open(this.#key(index), nonce, sealed.slice(NONCE_BYTES), place)
  }

  /** Ends the link, and tells the other side unless it is the one that said so. */
  fail(failure: LinkFailure, refusalAt: number): void {
    if (this.state.isOver) return
    const code = TOLD[failure]
    if (code !== undefined) this.say(refusalAt, linking.Refusal.encode({ code }))
    this.end(failure)
  }

  end(failure: LinkFailure | undefined): void {
    this.setTalk({ isOver: true, held: new Map() })
    this.effects.push({ type: 'ended', failure })
  }

  /** Remembers what was said before the emoji. */
  note(message: Uint8Array): void {
    const said = [...this.state.said, this.tools.sha256(message)]
    this.setTalk({ said })
  }

  /** The keys of everything after the emoji, and the emoji; undefined when the other's key agrees to nothing. */
  agree(otherKey: Uint8Array): readonly Emoji[] | undefined {
    const { seeds, said } = this.state
    const { agree, hkdf, sha256 } = this.tools
    const shared = agree(seeds.agreement, otherKey)
    if (shared === undefined) return undefined
    const transcript = sha256(linking.LINK_LABELS.transcript, ...said)
    const source = concat([seeds.secret, shared])
    this.setTalk({
      agreed: hkdf(source, transcript, linking.LINK_LABELS.agreedKey, KEY_BYTES)
    })
    return emojiOf(hkdf(source, transcript, linking.LINK_LABELS.emoji, EMOJI_SHOWN))
  }

  #key(index: number): Uint8Array {
    const { agreed, seeds } = this.state
    const { consent, done } = linking.LINK_POSITION
    const place = new Uint8Array([index])
    const isAgreed = index >= consent && index <= done
    if (isAgreed && agreed === undefined) throw new Error('a message before its keys')
    const label = isAgreed ? linking.LINK_LABELS.agreedKey : linking.LINK_LABELS.codeKey
    return this.tools.hkdf(isAgreed && agreed ? agreed : seeds.secret, place, label, KEY_BYTES)
  }
}

export interface Side {
  /** Positions that this side writes. */
  readonly own: (index: number) => boolean
  readonly ownRefusal: number
  /** Somebody else has written where only this side writes. */
  readonly onTaken: () => void
  readonly otherRefusal: number
  /** Takes the message at the expected position. A ProtocolError ends the link as damaged. */
  readonly take: (index: number, message: Uint8Array) => void
  /** Whether the expected position may be taken now. */
  readonly isReady: () => boolean
}

/** Takes what arrived: each position once and in order; what comes early waits, what comes again is nothing. */
export function receive<State extends Talk, Effect>(
  turn: TalkTurn<State, Effect>,
  { index, sealed }: { readonly index: number; readonly sealed: Uint8Array },
  side: Side
): void {
  if (index === side.otherRefusal) return refuseBy(turn, sealed, side)
  if (side.own(index)) {
    const own = turn.state.sent.get(index)
    // Somebody else with the same code speaks for this side.
    if (own === undefined || !equals(own, sealed)) side.onTaken()
    return
  }
  if (index < turn.state.expected || index > linking.LINK_POSITION.done) return
  if (turn.state.held.has(index)) return
  turn.setTalk({ held: new Map(turn.state.held).set(index, sealed) })
  drain(turn, side)
}

/** Takes what waited for its turn. */
export function drain<State extends Talk, Effect>(turn: TalkTurn<State, Effect>, side: Side): void {
  while (!turn.state.isOver && side.isReady()) {
    const index = turn.state.expected
    const sealed = turn.state.held.get(index)
    if (sealed === undefined) return
    const held = new Map(turn.state.held)
    held.delete(index)
    turn.setTalk({ held, expected: index + 1 })
    const message = turn.hear(index, sealed)
    if (message === undefined) return turn.fail('damaged', side.ownRefusal)
    if (!take(side, index, message)) return turn.fail('damaged', side.ownRefusal)
  }
}

/** False for a message that is none, or does not hold what it should. */
function take(side: Side, index: number, message: Uint8Array): boolean {
  try {
    side.take(index, message)
    return true
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

function refuseBy<State extends Talk, Effect>(
  turn: TalkTurn<State, Effect>,
  sealed: Uint8Array,
  side: Side
): void {
  const message = turn.hear(side.otherRefusal, sealed)
  if (message === undefined) return turn.fail('damaged', side.ownRefusal)
  turn.end(HEARD[decodeRefusal(message)] ?? 'failed-there')
}

function decodeRefusal(message: Uint8Array): string {
  try {
    return decodeBounded(linking.Refusal, message, linking.LINK_TALK_BYTES_MAX).code
  } catch {
    // Whoever cannot even say no has failed.
    return 'failed'
  }
}
