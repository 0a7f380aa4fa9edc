// The new device's side of a link: says who it is, compares, agrees to belong to the account, takes over. Pure.
import {
  type AccountId,
  accountIdOf,
  decodeBounded,
  HASH_BYTES,
  linking,
  MINUTE_MS,
  ProtocolError,
  requireBytes,
  requireName,
  SECOND_MS
} from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { signConsent } from '../identity/account.ts'
import type { KeyPair } from '../kernel/primitives.ts'
import type { Emoji } from './emoji.ts'
import {
  beginTalk,
  drain,
  type LinkSeeds,
  type LinkTools,
  receive,
  type Side,
  type Talk,
  type TalkEffect,
  type TalkInput,
  TalkTurn
} from './talk.ts'

/** An offer lies there before anybody has its code: when it does not come, the code is no longer good. */
export const OFFER_WAIT_MS = 10 * SECOND_MS
/** As long as the old device waits, whose word counts; a minute more, so that it is the one to say so. */
const COMPARE_MS = 6 * MINUTE_MS

export interface NewState extends Talk {
  readonly phase: 'meeting' | 'greeting' | 'comparing' | 'consented' | 'installing'
  readonly device: KeyPair
  readonly deviceName: string
  readonly commitment: Uint8Array
  readonly otherKey: Uint8Array
  readonly account: AccountId | undefined
  readonly parts: readonly Uint8Array[]
}

export type NewInput =
  | TalkInput
  /** All of the bundle is on disk, and the home has this device's key packages. */
  | { readonly type: 'installed' }

export type NewEffect =
  | TalkEffect
  | {
      readonly type: 'compare'
      readonly emoji: readonly Emoji[]
      readonly account: AccountId
      readonly name: string
    }
  /** Make a home of it, then come back with `installed` or `failed`. */
  | { readonly type: 'install'; readonly account: AccountId; readonly bundle: Uint8Array }

type Turn = TalkTurn<NewState, NewEffect>

const { LINK_POSITION, LINK_LABELS, LINK_VERSION } = linking
const NONE = new Uint8Array(0)

interface Stepped {
  readonly state: NewState
  readonly effects: readonly NewEffect[]
}

/** A new device at the meeting place; it speaks when it has read the offer. */
export function beginNew(
  init: { readonly seeds: LinkSeeds; readonly device: KeyPair; readonly name: string },
  nowMs: number
): Stepped {
  const { seeds, device, name } = init
  const state: NewState = {
    ...beginTalk(seeds, { expected: LINK_POSITION.offer, deadlineMs: nowMs + OFFER_WAIT_MS }),
    phase: 'meeting',
    device,
    deviceName: name,
    commitment: NONE,
    otherKey: NONE,
    account: undefined,
    parts: []
  }
  return { state, effects: [] }
}

/** The pure step of the new device. */
export function createNewStep(tools: LinkTools & Parameters<typeof signConsent>[1]) {
  return (state: NewState, nowMs: number, input: NewInput): Stepped => {
    const turn: Turn = new TalkTurn(state, nowMs, tools)
    if (!state.isOver)
      decide(turn, input, (account) => signConsent({ account, device: state.device }, tools))
    return turn
  }
}

type Consent = (account: AccountId) => Uint8Array

function decide(turn: Turn, input: NewInput, consentTo: Consent): void {
  switch (input.type) {
    case 'message':
      return receive(turn, input, sideOf(turn))
    case 'answer':
      return answer(turn, input.isSame, consentTo)
    case 'installed':
      turn.say(LINK_POSITION.done, linking.Done.encode({}))
      return turn.end(undefined)
    case 'failed':
      // Who comes second has no part in the link of the first.
      if (input.reason === 'used') return turn.end('used')
      return turn.fail(input.reason, LINK_POSITION.refusalOfNew)
    case 'tick':
      return tick(turn)
  }
}

function tick(turn: Turn): void {
  const { deadlineMs, phase } = turn.state
  if (turn.nowMs < deadlineMs || phase === 'installing') return
  // Nobody is there to be told.
  if (phase === 'meeting') return turn.end('unknown')
  turn.fail('expired', LINK_POSITION.refusalOfNew)
}

function sideOf(turn: Turn): Side {
  return {
    own: (index) =>
      index === LINK_POSITION.hello ||
      index === LINK_POSITION.consent ||
      index === LINK_POSITION.done,
    ownRefusal: LINK_POSITION.refusalOfNew,
    onTaken: () => turn.end('used'),
    otherRefusal: LINK_POSITION.refusalOfOld,
    isReady: () => turn.state.expected < LINK_POSITION.bundle || turn.state.phase === 'consented',
    take(index, message) {
      if (index === LINK_POSITION.offer) offer(turn, message)
      else if (index === LINK_POSITION.reveal) reveal(turn, message)
      else takePart(turn, message)
    }
  }
}

function offer(turn: Turn, message: Uint8Array): void {
  const { version, commitment, agreementKey } = decodeBounded(
    linking.Offer,
    message,
    linking.LINK_TALK_BYTES_MAX
  )
  if (version !== LINK_VERSION) return turn.fail('version', LINK_POSITION.refusalOfNew)
  const { seeds, device, deviceName: name } = turn.state
  const hello = linking.Hello.encode({
    version: LINK_VERSION,
    device: device.publicKey,
    agreementKey: turn.tools.agreementKey(seeds.agreement),
    nonce: seeds.nonce,
    name
  })
  turn.note(message)
  turn.note(hello)
  turn.set({
    phase: 'greeting',
    commitment: requireBytes(commitment, HASH_BYTES, 'a commitment').slice(),
    otherKey: agreementKey.slice(),
    expected: LINK_POSITION.reveal,
    deadlineMs: turn.nowMs + COMPARE_MS
  })
  turn.say(LINK_POSITION.hello, hello)
}

function reveal(turn: Turn, message: Uint8Array): void {
  const { commitment, otherKey } = turn.state
  if (!equals(turn.tools.sha256(LINK_LABELS.commitment, message), commitment)) {
    throw new ProtocolError('forbidden', 'another reveal than was promised')
  }
  const { account, name } = decodeBounded(linking.Reveal, message, linking.LINK_TALK_BYTES_MAX)
  turn.note(message)
  const emoji = turn.agree(otherKey)
  if (emoji === undefined) throw new ProtocolError('malformed', 'an agreement key')
  const id = accountIdOf(requireBytes(account, HASH_BYTES, 'an account').slice())
  turn.set({ phase: 'comparing', account: id, expected: LINK_POSITION.bundle })
  turn.effects.push({ type: 'compare', emoji, account: id, name: requireName(name) })
}

function answer(turn: Turn, isSame: boolean, consentTo: Consent): void {
  const { account, phase } = turn.state
  if (phase !== 'comparing' || account === undefined) return
  if (!isSame) return turn.fail('refused', LINK_POSITION.refusalOfNew)
  turn.set({ phase: 'consented' })
  turn.say(LINK_POSITION.consent, linking.Consent.encode({ consent: consentTo(account) }))
  drain(turn, sideOf(turn))
}

function takePart(turn: Turn, message: Uint8Array): void {
  const { account } = turn.state
  const { count, part } = decodeBounded(linking.BundlePart, message, linking.LINK_MESSAGE_BYTES_MAX)
  const parts = [...turn.state.parts, part.slice()]
  if (count < parts.length || count > linking.BUNDLE_PARTS_MAX || account === undefined) {
    throw new ProtocolError('malformed', 'a number of parts')
  }
  turn.set({ parts })
  if (parts.length < count) return
  turn.set({ phase: 'installing' })
  turn.effects.push({ type: 'install', account, bundle: concat([...parts]) })
}
