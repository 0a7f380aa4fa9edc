// Linking two devices as pure machines: what has to hold whatever the meeting place, or somebody at it, does.
import { identity, linking, publicKeyOf } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { OFFER_WAIT_MS } from '../../src/linking/new-device.ts'
import { HANDOVER_MS, LINK_MS } from '../../src/linking/old-device.ts'
import { createNoise } from '../noise.ts'
import {
  ACCOUNT,
  BUNDLE,
  carry,
  failureOf,
  idOf,
  type Message,
  newDevice,
  oldDevice
} from './pair.ts'

const { LINK_POSITION } = linking

/** Up to the emoji on both. */
function met() {
  const [old, fresh] = [oldDevice(), newDevice()]
  carry(old, fresh)
  return { old, fresh }
}

/** Up to the addition to the log. */
function agreed() {
  const { old, fresh } = met()
  old.input({ type: 'answer', isSame: true })
  fresh.input({ type: 'answer', isSame: true })
  carry(old, fresh)
  return { old, fresh }
}

describe('a link', () => {
  test('shows the same six emoji on both, and who is who', () => {
    const { old, fresh } = met()
    const [atOld, atNew] = [old.of('compare'), fresh.of('compare')]
    expect(atOld).toHaveLength(1)
    expect(atOld[0]?.emoji).toHaveLength(6)
    expect(atNew[0]?.emoji).toEqual(atOld[0]?.emoji)
    expect(atOld[0]).toMatchObject({ device: idOf(fresh), name: 'phone' })
    expect(atNew[0]).toMatchObject({ account: ACCOUNT, name: 'alice' })
  })

  test('adds the device with its consent, hands over, and ends on both sides', () => {
    const { old, fresh } = agreed()
    const [add] = old.of('add')
    expect(add).toMatchObject({ device: idOf(fresh), name: 'phone' })
    const key = publicKeyOf(idOf(fresh))
    expect(primitives.verify(key, identity.consentToSign(ACCOUNT, key), add?.consent ?? key)).toBe(
      true
    )
    old.input({ type: 'added', bundle: BUNDLE })
    carry(old, fresh)
    expect(fresh.of('install')).toMatchObject([{ account: ACCOUNT, bundle: BUNDLE }])
    expect(failureOf(old)).toEqual([])
    fresh.input({ type: 'installed' })
    carry(old, fresh)
    expect([failureOf(old), failureOf(fresh)]).toEqual([[undefined], [undefined]])
  })

  test.each([
    ['old', 'new'],
    ['new', 'old']
  ])('adds nothing before both users agreed: %s first', (first) => {
    const { old, fresh } = met()
    const [one, other] = first === 'old' ? [old, fresh] : [fresh, old]
    one.input({ type: 'answer', isSame: true })
    carry(old, fresh)
    expect(old.of('add')).toEqual([])
    other.input({ type: 'answer', isSame: true })
    carry(old, fresh)
    expect(old.of('add')).toHaveLength(1)
  })

  test.each([
    ['old', ['refused', 'refused-there']],
    ['new', ['refused-there', 'refused']]
  ] as const)('ends on both sides when the user of the %s one says no', (who, failures) => {
    const { old, fresh } = met()
    const [no, yes] = who === 'old' ? [old, fresh] : [fresh, old]
    yes.input({ type: 'answer', isSame: true })
    no.input({ type: 'answer', isSame: false })
    carry(old, fresh)
    expect([failureOf(old), failureOf(fresh)]).toEqual(failures.map((failure) => [failure]))
    expect([old.of('add'), fresh.of('install')]).toEqual([[], []])
  })

  test('hands over a bundle of many parts, and refuses one that does not fit', () => {
    const { old, fresh } = agreed()
    const bundle = new Uint8Array(3 * linking.BUNDLE_PART_BYTES_MAX + 5).map((_, at) => at % 251)
    old.input({ type: 'added', bundle })
    expect(old.said).toHaveLength(4)
    for (const { sealed } of old.said) {
      expect(sealed.byteLength).toBeLessThanOrEqual(linking.LINK_MESSAGE_BYTES_MAX)
    }
    carry(old, fresh)
    expect(fresh.of('install')[0]?.bundle).toEqual(bundle)

    const other = agreed()
    const size = linking.BUNDLE_PARTS_MAX * linking.BUNDLE_PART_BYTES_MAX + 1
    other.old.input({ type: 'added', bundle: new Uint8Array(size) })
    carry(other.old, other.fresh)
    expect([failureOf(other.old), failureOf(other.fresh)]).toEqual([['failed'], ['failed-there']])
  })

  test('tells the other side when one cannot do its part', () => {
    const { old, fresh } = agreed()
    old.input({ type: 'added', bundle: BUNDLE })
    carry(old, fresh)
    fresh.input({ type: 'failed', reason: 'failed' })
    carry(old, fresh)
    expect([failureOf(old), failureOf(fresh)]).toEqual([['failed-there'], ['failed']])
  })
})

describe('a meeting place that is not reliable', () => {
  test('changes nothing by losing, repeating and reordering', () => {
    const noise = createNoise()
    for (let round = 0; round < 50; round += 1) {
      const [old, fresh] = [oldDevice(), newDevice()]
      const kept: Message[] = []
      for (let turn = 0; turn < 400 && !fresh.state.isOver; turn += 1) {
        kept.push(...old.said.splice(0), ...fresh.said.splice(0))
        const message = kept[noise.below(Math.max(1, kept.length))]
        // Every message stays there, and comes at any time, any number of times, to either.
        if (message !== undefined) {
          const to = noise.below(2) === 0 ? old : fresh
          to.input({ type: 'message', ...message })
        }
        if (old.of('compare').length > 0) old.input({ type: 'answer', isSame: true })
        if (fresh.of('compare').length > 0) fresh.input({ type: 'answer', isSame: true })
        if (old.of('add').length > 0) old.input({ type: 'added', bundle: BUNDLE })
        if (fresh.of('install').length > 0) fresh.input({ type: 'installed' })
      }
      expect(failureOf(fresh), `seed ${noise.seed}, round ${round}`).toEqual([undefined])
      expect([old.of('add').length, fresh.of('install').length]).toEqual([1, 1])
      carry(old, fresh, (message) => [message, message])
      for (const message of kept) old.input({ type: 'message', ...message })
      expect(failureOf(old)).toEqual([undefined])
    }
  })

  test.each([
    ['offer', LINK_POSITION.offer],
    ['hello', LINK_POSITION.hello],
    ['reveal', LINK_POSITION.reveal],
    ['consent', LINK_POSITION.consent],
    ['bundle', LINK_POSITION.bundle],
    ['done', LINK_POSITION.done]
  ])('is found out when it changes the %s', (_name, position) => {
    const [old, fresh] = [oldDevice(), newDevice()]
    const isFromOld = [0, 2, 4].includes(position)
    const [author, reader] = isFromOld ? [old, fresh] : [fresh, old]
    // The reader gets the changed one, the author sees its own.
    const drive = () => {
      for (;;) {
        const said = [...old.said.splice(0), ...fresh.said.splice(0)]
        if (said.length === 0) return
        for (const message of said) {
          const isIt = message.index === position
          const sealed = message.sealed.map((byte, at) => (isIt && at === 14 ? byte ^ 1 : byte))
          author.input({ type: 'message', ...message })
          reader.input({ type: 'message', index: message.index, sealed })
        }
      }
    }
    drive()
    old.input({ type: 'answer', isSame: true })
    fresh.input({ type: 'answer', isSame: true })
    drive()
    if (old.of('add').length > 0) old.input({ type: 'added', bundle: BUNDLE })
    drive()
    if (fresh.of('install').length > 0) fresh.input({ type: 'installed' })
    drive()
    expect(failureOf(reader)).toEqual(['damaged'])
    // Whoever has finished is told nothing any more.
    expect(failureOf(author)).toEqual([position === LINK_POSITION.done ? undefined : 'damaged'])
  })
})

describe('somebody who has seen the code', () => {
  test('cannot take both places without other emoji on the two screens', () => {
    const alike: number[] = []
    for (let guess = 0; guess < 40; guess += 1) {
      const [old, fresh] = [oldDevice(), newDevice()]
      const [asNew, asOld] = [newDevice(60 + guess), oldDevice(120 + guess)]
      carry(old, asNew)
      carry(asOld, fresh)
      const [atOld] = old.of('compare')
      const [atNew] = fresh.of('compare')
      if (JSON.stringify(atOld?.emoji) === JSON.stringify(atNew?.emoji)) alike.push(guess)
    }
    expect(alike).toEqual([])
  })

  test('cannot reveal another nonce than it promised', () => {
    const [old, other, fresh] = [oldDevice(10), oldDevice(90), newDevice()]
    const [offer] = old.said.splice(0)
    fresh.input({ type: 'message', ...(offer as Message) })
    const [hello] = fresh.said.splice(0)
    other.input({ type: 'message', ...(hello as Message) })
    const reveal = other.said.find(({ index }) => index === LINK_POSITION.reveal)
    fresh.input({ type: 'message', ...(reveal as Message) })
    expect(failureOf(fresh)).toEqual(['damaged'])
    expect(fresh.of('compare')).toEqual([])
  })

  test('cannot read what is handed over: its keys are agreed, not in the code', () => {
    const { old, fresh } = agreed()
    old.input({ type: 'added', bundle: BUNDLE })
    const part = old.said.find(({ index }) => index === LINK_POSITION.bundle)
    const spy = newDevice(200)
    spy.state = { ...fresh.state, seeds: spy.state.seeds, agreed: new Uint8Array(32) }
    spy.input({ type: 'message', ...(part as Message) })
    expect(failureOf(spy)).toEqual(['damaged'])
  })

  test('is noticed when it uses the code as well', () => {
    const [old, first, second] = [oldDevice(), newDevice(20), newDevice(40)]
    const [offer] = old.said.splice(0)
    for (const device of [first, second]) device.input({ type: 'message', ...(offer as Message) })
    const [hello] = first.said.splice(0)
    // The relay keeps the first; the second finds somebody else in its place.
    old.input({ type: 'message', ...(hello as Message) })
    second.input({ type: 'message', ...(hello as Message) })
    expect(failureOf(second)).toEqual(['used'])
    expect(failureOf(first)).toEqual([])
  })

  test('cannot have a device added that did not agree', () => {
    const { old, fresh } = met()
    old.input({ type: 'answer', isSame: true })
    // A consent of the right form, by another key.
    const forger = newDevice(20)
    forger.state = { ...fresh.state, device: newDevice(70).state.device }
    forger.input({ type: 'answer', isSame: true })
    for (const message of forger.said) old.input({ type: 'message', ...message })
    expect(failureOf(old)).toEqual(['damaged'])
    expect(old.of('add')).toEqual([])
  })
})

describe('a code without its secret', () => {
  test('gives nothing to say at the meeting place', () => {
    const [old, stranger] = [oldDevice(10, 1), newDevice(20, 2)]
    carry(old, stranger)
    expect(failureOf(stranger)).toEqual(['damaged'])
    expect(old.of('compare')).toEqual([])
  })
})

describe('time', () => {
  const at = <D extends { nowMs: number; input: (input: { type: 'tick' }) => void }>(
    device: D,
    nowMs: number
  ): D => {
    device.nowMs = nowMs
    device.input({ type: 'tick' })
    return device
  }

  test('ends a code that nobody used', () => {
    const old = at(oldDevice(), LINK_MS - 1)
    expect(failureOf(old)).toEqual([])
    expect(failureOf(at(old, LINK_MS))).toEqual(['expired'])
  })

  test('ends a comparison that nobody finished, on both sides', () => {
    const { old, fresh } = met()
    at(old, LINK_MS)
    carry(old, fresh)
    expect([failureOf(old), failureOf(fresh)]).toEqual([['expired'], ['expired']])
  })

  test('tells soon that nobody waits behind a code', () => {
    expect(failureOf(at(newDevice(), OFFER_WAIT_MS))).toEqual(['unknown'])
  })

  test('does not end while the log is being changed, and gives the new device time to install', () => {
    const { old } = agreed()
    expect(failureOf(at(old, LINK_MS * 2))).toEqual([])
    old.input({ type: 'added', bundle: BUNDLE })
    expect(failureOf(at(old, LINK_MS * 2 + HANDOVER_MS - 1))).toEqual([])
    expect(failureOf(at(old, LINK_MS * 2 + HANDOVER_MS))).toEqual(['expired'])
  })
})

test('another version is refused in words', () => {
  const [old, fresh] = [oldDevice(), newDevice()]
  const later = linking.Offer.encode({
    version: 2,
    commitment: new Uint8Array(32),
    agreementKey: new Uint8Array(32)
  })
  const { secret } = old.state.seeds
  const place = new Uint8Array([LINK_POSITION.offer])
  const key = primitives.hkdf(secret, place, linking.LINK_LABELS.codeKey, 32)
  const nonce = new Uint8Array(12)
  const sealed = Buffer.concat([nonce, primitives.seal(key, nonce, later, place)])
  fresh.input({ type: 'message', index: LINK_POSITION.offer, sealed: new Uint8Array(sealed) })
  expect(failureOf(fresh)).toEqual(['version'])
})
