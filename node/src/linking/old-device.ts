// The old device's side of a link: offers, compares, adds the new device to the account's log, and hands over. Pure.
import {
  type AccountId,
  type DeviceId,
  decodeBounded,
  deviceIdOf,
  idBytes,
  identity,
  linking,
  MINUTE_MS,
  ProtocolError,
  PUBLIC_KEY_BYTES,
  publicKeyOf,
  requireBytes,
  requireName,
  SECOND_MS
} from '@kith/protocols'
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

/** How long a code is good: to walk to another room, not to be found in a photograph the day after. */
export const LINK_MS = 5 * MINUTE_MS
/** From the bundle to the answer that it is on the new device's disk: a slow disk and a slow line. */
export const HANDOVER_MS = 60 * SECOND_MS

export interface OldState extends Talk {
  readonly account: AccountId
  readonly name: string
  readonly phase: 'offered' | 'comparing' | 'adding' | 'sending'
  readonly reveal: Uint8Array
  readonly device: DeviceId | undefined
  readonly deviceName: string
  /** 64 bytes, once the new device's user agreed. */
  readonly consent: Uint8Array | undefined
  /** This user agreed. */
  readonly isConfirmed: boolean
}

export type OldInput =
  | TalkInput
  /** The account's log names the new device, and this is what it needs to know. */
  | { readonly type: 'added'; readonly bundle: Uint8Array }

export type OldEffect =
  | TalkEffect
  | {
      readonly type: 'compare'
      readonly emoji: readonly Emoji[]
      readonly device: DeviceId
      readonly name: string
    }
  /** Add it to the account's log, then come back with `added` or `failed`. */
  | {
      readonly type: 'add'
      readonly device: DeviceId
      readonly name: string
      readonly consent: Uint8Array
    }

type Turn = TalkTurn<OldState, OldEffect>

const { LINK_POSITION, LINK_LABELS, LINK_VERSION } = linking
const NONCE_BYTES = 32

interface Stepped {
  readonly state: OldState
  readonly effects: readonly OldEffect[]
}

/** The offer of a new link, to be put at once. */
export function beginOld(
  init: { readonly seeds: LinkSeeds; readonly account: AccountId; readonly name: string },
  nowMs: number,
  tools: LinkTools
): Stepped {
  const { seeds, account, name } = init
  const reveal = linking.Reveal.encode({ nonce: seeds.nonce, account: idBytes(account), name })
  const offer = linking.Offer.encode({
    version: LINK_VERSION,
    commitment: tools.sha256(LINK_LABELS.commitment, reveal),
    agreementKey: tools.agreementKey(seeds.agreement)
  })
  const state: OldState = {
    ...beginTalk(seeds, { expected: LINK_POSITION.hello, deadlineMs: nowMs + LINK_MS }),
    account,
    name,
    phase: 'offered',
    reveal,
    device: undefined,
    deviceName: '',
    consent: undefined,
    isConfirmed: false
  }
  const turn: Turn = new TalkTurn(state, nowMs, tools)
  turn.note(offer)
  turn.say(LINK_POSITION.offer, offer)
  return turn
}

/** The pure step of the old device. */
export function createOldStep(tools: LinkTools) {
  return (state: OldState, nowMs: number, input: OldInput): Stepped => {
    const turn: Turn = new TalkTurn(state, nowMs, tools)
    if (!state.isOver) decide(turn, input)
    return turn
  }
}

function decide(turn: Turn, input: OldInput): void {
  switch (input.type) {
    case 'message':
      return receive(turn, input, sideOf(turn))
    case 'answer':
      return answer(turn, input.isSame)
    case 'added':
      return handOver(turn, input.bundle)
    case 'failed':
      return turn.fail(input.reason, LINK_POSITION.refusalOfOld)
    case 'tick':
      // While the log is being changed nothing may end half-way.
      if (turn.nowMs < turn.state.deadlineMs || turn.state.phase === 'adding') return
      return turn.fail('expired', LINK_POSITION.refusalOfOld)
  }
}

function sideOf(turn: Turn): Side {
  return {
    own: (index) =>
      index === LINK_POSITION.offer ||
      index === LINK_POSITION.reveal ||
      (index >= LINK_POSITION.bundle && index < LINK_POSITION.done),
    ownRefusal: LINK_POSITION.refusalOfOld,
    onTaken: () => turn.fail('used', LINK_POSITION.refusalOfOld),
    otherRefusal: LINK_POSITION.refusalOfNew,
    isReady: () => turn.state.expected !== LINK_POSITION.done || turn.state.phase === 'sending',
    take(index, message) {
      if (index === LINK_POSITION.hello) hello(turn, message)
      else if (index === LINK_POSITION.consent) consent(turn, message)
      else turn.end(undefined)
    }
  }
}

function hello(turn: Turn, message: Uint8Array): void {
  const { version, device, agreementKey, nonce, name } = decodeBounded(
    linking.Hello,
    message,
    linking.LINK_TALK_BYTES_MAX
  )
  if (version !== LINK_VERSION) return turn.fail('version', LINK_POSITION.refusalOfOld)
  requireBytes(device, PUBLIC_KEY_BYTES, 'a device')
  requireBytes(nonce, NONCE_BYTES, 'a nonce')
  turn.note(message)
  turn.note(turn.state.reveal)
  const emoji = turn.agree(agreementKey)
  if (emoji === undefined) throw new ProtocolError('malformed', 'an agreement key')
  const id = deviceIdOf(device)
  turn.set({
    phase: 'comparing',
    device: id,
    deviceName: requireName(name),
    expected: LINK_POSITION.consent
  })
  turn.say(LINK_POSITION.reveal, turn.state.reveal)
  turn.effects.push({ type: 'compare', emoji, device: id, name })
}

function consent(turn: Turn, message: Uint8Array): void {
  const { account, device } = turn.state
  if (device === undefined) return
  const { consent } = decodeBounded(linking.Consent, message, linking.LINK_TALK_BYTES_MAX)
  const key = publicKeyOf(device)
  if (!turn.tools.verify(key, identity.consentToSign(account, key), consent)) {
    throw new ProtocolError('forbidden', 'a consent')
  }
  turn.set({ consent: consent.slice(), expected: LINK_POSITION.done })
  add(turn)
}

function answer(turn: Turn, isSame: boolean): void {
  if (turn.state.phase !== 'comparing' || turn.state.isConfirmed) return
  if (!isSame) return turn.fail('refused', LINK_POSITION.refusalOfOld)
  turn.set({ isConfirmed: true })
  add(turn)
}

/** Both users have to have agreed. */
function add(turn: Turn): void {
  const { consent, device, deviceName: name, isConfirmed } = turn.state
  if (consent === undefined || device === undefined || !isConfirmed) return
  turn.set({ phase: 'adding' })
  turn.effects.push({ type: 'add', device, name, consent })
}

function handOver(turn: Turn, bundle: Uint8Array): void {
  if (turn.state.phase !== 'adding') return
  const { BUNDLE_PART_BYTES_MAX: size, BUNDLE_PARTS_MAX } = linking
  const count = Math.max(1, Math.ceil(bundle.byteLength / size))
  if (count > BUNDLE_PARTS_MAX) return turn.fail('failed', LINK_POSITION.refusalOfOld)
  turn.set({ phase: 'sending', deadlineMs: turn.nowMs + HANDOVER_MS })
  for (let part = 0; part < count; part += 1) {
    const bytes = bundle.slice(part * size, (part + 1) * size)
    turn.say(LINK_POSITION.bundle + part, linking.BundlePart.encode({ count, part: bytes }))
  }
  drain(turn, sideOf(turn))
}
