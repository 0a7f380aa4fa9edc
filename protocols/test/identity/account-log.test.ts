// The fold of account logs: what counts, who may do what, and everything a relay or thief might try.
import { deviceIdOf, type ErrorCode, identity, publicKeyOf, relayIdOf } from '@kith/protocols'
import fc from 'fast-check'
import { concat } from 'uint8arrays/concat'
import { describe, expect, test } from 'vitest'
import { checks, type Signer, signer } from '../checks.ts'
import {
  addDevice,
  BLANK,
  CREATE,
  create,
  FIRST,
  fold,
  HOME,
  next,
  RECOVERY,
  removeDevice,
  SECOND,
  STRANGER,
  signOperation
} from './logs.ts'

const START = fold([create()])
const SEED = 20_261_121

function expectRefusal(work: () => unknown, code: ErrorCode): void {
  expect(work).toThrowError(expect.objectContaining({ name: 'ProtocolError', code }))
}

describe('a log that begins', () => {
  test('creates the account under the hash of its first operation', () => {
    const first = create()
    expect(START).toEqual({
      account: identity.accountIdOfFirst(first.operation, checks.sha256),
      length: 1,
      head: identity.operationHash(first.operation, checks.sha256),
      devices: [{ device: deviceIdOf(FIRST.publicKey), addedAt: 0 }],
      homes: [{ relay: relayIdOf(HOME.relay), addresses: HOME.addresses }],
      recoveryKey: RECOVERY.publicKey
    })
  })

  test('gives another account for another nonce', () => {
    expect(fold([create({ nonce: new Uint8Array(32) })]).account).not.toBe(START.account)
  })

  test('has at least one operation', () => {
    expectRefusal(() => fold([]), 'malformed')
  })

  test('keeps a state that no operation was folded onto', () => {
    expect(fold([], START)).toBe(START)
  })

  test('is not created by another key than its first device', () => {
    expectRefusal(() => fold([create({}, RECOVERY)]), 'forbidden')
    expectRefusal(() => fold([create({}, STRANGER)]), 'forbidden')
  })

  test.each<[string, Partial<identity.Create>]>([
    ['a short nonce', { nonce: new Uint8Array(31) }],
    ['a long nonce', { nonce: new Uint8Array(33) }],
    ['a short recovery key', { recoveryKey: new Uint8Array(31) }],
    ['no recovery key', { recoveryKey: new Uint8Array(0) }],
    ['a short device', { device: new Uint8Array(16) }],
    ['a recovery key that is the device', { recoveryKey: FIRST.publicKey }],
    ['no home', { homes: [] }],
    ['a home with a short key', { homes: [{ ...HOME, relay: new Uint8Array(31) }] }],
    ['a home without addresses', { homes: [{ ...HOME, addresses: [] }] }],
    ['a home with an empty address', { homes: [{ ...HOME, addresses: [''] }] }],
    ['an address with an escape', { homes: [{ ...HOME, addresses: ['/dns4/\u001b[2J'] }] }],
    ['an address with a space', { homes: [{ ...HOME, addresses: ['/dns4/a b'] }] }],
    ['an address of 257 bytes', { homes: [{ ...HOME, addresses: [`/${'a'.repeat(256)}`] }] }],
    ['the same home twice', { homes: [HOME, HOME] }]
  ])('is malformed with %s', (_about, changes) => {
    expectRefusal(() => fold([create(changes)]), 'malformed')
  })

  test('has at most three homes of eight addresses', () => {
    const home = (number: number): identity.Home => ({ ...HOME, relay: signer(number).publicKey })
    expect(fold([create({ homes: [21, 22, 23].map(home) })]).homes).toHaveLength(3)
    expectRefusal(() => fold([create({ homes: [21, 22, 23, 24].map(home) })]), 'too-large')
    const addresses = Array.from({ length: 9 }, () => '/ip4/127.0.0.1/tcp/1')
    expectRefusal(() => fold([create({ homes: [{ ...HOME, addresses }] })]), 'too-large')
  })

  test('starts with a create of the known version and nothing else', () => {
    const operation = (changes: Partial<identity.Operation>): identity.SignedOperation =>
      signOperation(identity.Operation.encode({ ...BLANK, ...changes }), FIRST)
    expectRefusal(() => fold([operation({})]), 'malformed')
    expectRefusal(() => fold([operation({ setHomes: { homes: [HOME] } })]), 'malformed')
    const kind = CREATE
    expectRefusal(() => fold([operation({ create: kind, version: 0 })]), 'malformed')
    expectRefusal(() => fold([operation({ create: kind, version: 2 })]), 'malformed')
    expectRefusal(
      () => fold([operation({ create: kind, account: new Uint8Array(32) })]),
      'malformed'
    )
    expectRefusal(
      () => fold([operation({ create: kind, previous: new Uint8Array(32) })]),
      'malformed'
    )
  })

  test('does not start in the middle', () => {
    expectRefusal(() => fold([next(START, { setHomes: { homes: [HOME] } })]), 'conflict')
  })
})

describe('adding a device', () => {
  test('is done by a device or the recovery key, and gives the new one the same rights', () => {
    const byDevice = fold([next(START, addDevice(START, SECOND))], START)
    expect(byDevice.devices).toEqual([
      { device: deviceIdOf(FIRST.publicKey), addedAt: 0 },
      { device: deviceIdOf(SECOND.publicKey), addedAt: 1 }
    ])
    expect(fold([next(START, addDevice(START, SECOND), { by: RECOVERY })], START).devices).toEqual(
      byDevice.devices
    )
    const third = signer(3)
    const bySecond = next(byDevice, addDevice(byDevice, third), { by: SECOND })
    expect(fold([bySecond], byDevice).devices).toHaveLength(3)
  })

  test('is refused from a stranger, and from the new device itself', () => {
    expectRefusal(
      () => fold([next(START, addDevice(START, SECOND), { by: STRANGER })], START),
      'forbidden'
    )
    expectRefusal(
      () => fold([next(START, addDevice(START, SECOND), { by: SECOND })], START),
      'forbidden'
    )
  })

  test('is refused without the consent of the new device to this very account', () => {
    const other = fold([create({ nonce: new Uint8Array(32) })])
    const consents: [string, Uint8Array][] = [
      ['by another key', STRANGER.sign(identity.consentToSign(START.account, SECOND.publicKey))],
      ['to another account', SECOND.sign(identity.consentToSign(other.account, SECOND.publicKey))],
      ['for another device', SECOND.sign(identity.consentToSign(START.account, FIRST.publicKey))],
      ['under another label', SECOND.sign(identity.operationToSign(SECOND.publicKey))]
    ]
    for (const [about, consent] of consents) {
      const operation = next(START, addDevice(START, SECOND, consent))
      expect(() => fold([operation], START), about).toThrowError(
        expect.objectContaining({ code: 'forbidden' })
      )
    }
    for (const length of [0, 63, 65]) {
      const operation = next(START, addDevice(START, SECOND, new Uint8Array(length)))
      expectRefusal(() => fold([operation], START), 'malformed')
    }
  })

  test('of a device that is there already is a conflict', () => {
    expectRefusal(() => fold([next(START, addDevice(START, FIRST))], START), 'conflict')
  })

  test('of the recovery key is malformed', () => {
    expectRefusal(() => fold([next(START, addDevice(START, RECOVERY))], START), 'malformed')
  })

  test('ends at 64 devices', () => {
    let state = START
    for (let number = 100; state.devices.length < identity.DEVICES_MAX; number += 1) {
      state = fold([next(state, addDevice(state, signer(number)))], state)
    }
    expectRefusal(() => fold([next(state, addDevice(state, SECOND))], state), 'forbidden')
  })
})

describe('removing a device', () => {
  const BOTH = fold([next(START, addDevice(START, SECOND))], START)
  const ids = (state: identity.AccountState) => state.devices.map(({ device }) => device)

  test('is done by any device, also itself, or by the recovery key', () => {
    for (const by of [FIRST, SECOND, RECOVERY]) {
      const state = fold([next(BOTH, removeDevice(SECOND), { by })], BOTH)
      expect(state.devices).toEqual(START.devices)
      expect(state.length).toBe(3)
      expect(identity.hasDevice(state, SECOND.publicKey)).toBe(false)
    }
    expect(ids(fold([next(BOTH, removeDevice(FIRST), { by: SECOND })], BOTH))).toEqual([
      deviceIdOf(SECOND.publicKey)
    ])
    expect(ids(BOTH)).toHaveLength(2)
  })

  test('is refused from a stranger', () => {
    expectRefusal(
      () => fold([next(BOTH, removeDevice(SECOND), { by: STRANGER })], BOTH),
      'forbidden'
    )
  })

  test('is refused for the last one, whoever asks', () => {
    for (const by of [FIRST, RECOVERY]) {
      expectRefusal(() => fold([next(START, removeDevice(FIRST), { by })], START), 'forbidden')
    }
  })

  test('of one that is not there is a conflict, and of what is no device malformed', () => {
    for (const other of [STRANGER, RECOVERY]) {
      expectRefusal(() => fold([next(BOTH, removeDevice(other))], BOTH), 'conflict')
    }
    const state = fold([next(BOTH, removeDevice(SECOND))], BOTH)
    expectRefusal(() => fold([next(state, removeDevice(SECOND))], state), 'conflict')
    for (const length of [0, 31, 33]) {
      const kind = { removeDevice: { device: new Uint8Array(length) } }
      expectRefusal(() => fold([next(BOTH, kind)], BOTH), 'malformed')
    }
  })

  test('ends its rights: nothing it signs afterwards counts', () => {
    const state = fold([next(BOTH, removeDevice(SECOND))], BOTH)
    for (const kind of [
      removeDevice(FIRST),
      addDevice(state, signer(3)),
      addDevice(state, SECOND),
      { setHomes: { homes: [HOME] } },
      {}
    ]) {
      expectRefusal(() => fold([next(state, kind, { by: SECOND })], state), 'forbidden')
    }
    // Nor does what it signed before for this place.
    const parallel = next(BOTH, { setHomes: { homes: [HOME] } }, { by: SECOND })
    expectRefusal(() => fold([parallel], state), 'conflict')
  })

  test('may be undone with its consent, at a place of its own', () => {
    const removed = fold([next(BOTH, removeDevice(SECOND))], BOTH)
    const again = fold([next(removed, addDevice(removed, SECOND))], removed)
    expect(again.devices).toEqual([
      ...START.devices,
      { device: deviceIdOf(SECOND.publicKey), addedAt: 3 }
    ])
    const without = addDevice(removed, SECOND, FIRST.sign(new Uint8Array(32)))
    expectRefusal(() => fold([next(removed, without)], removed), 'forbidden')
    const state = fold([next(again, { setHomes: { homes: [HOME] } }, { by: SECOND })], again)
    expect(state.length).toBe(5)
  })

  test('makes room when there are 64', () => {
    let state = START
    for (let number = 100; state.devices.length < identity.DEVICES_MAX; number += 1) {
      state = fold([next(state, addDevice(state, signer(number)))], state)
    }
    state = fold([next(state, removeDevice(signer(100)))], state)
    state = fold([next(state, addDevice(state, SECOND))], state)
    expect(state.devices).toHaveLength(identity.DEVICES_MAX)
  })
})

describe('homes and recovery key', () => {
  const moved = { ...HOME, addresses: ['/dns4/relay.example/tcp/443/wss'] }

  test('homes are replaced by a device or the recovery key', () => {
    for (const by of [FIRST, RECOVERY]) {
      const state = fold([next(START, { setHomes: { homes: [moved] } }, { by })], START)
      expect(state.homes).toEqual([{ relay: relayIdOf(HOME.relay), addresses: moved.addresses }])
      expect(state.devices).toEqual(START.devices)
    }
  })

  test('homes are refused from a stranger, and none or doubled ones from anybody', () => {
    const kind = { setHomes: { homes: [moved] } }
    expectRefusal(() => fold([next(START, kind, { by: STRANGER })], START), 'forbidden')
    expectRefusal(() => fold([next(START, { setHomes: { homes: [] } })], START), 'malformed')
    expectRefusal(
      () => fold([next(START, { setHomes: { homes: [HOME, HOME] } })], START),
      'malformed'
    )
  })

  test('the recovery key is replaced by the recovery key alone, and then the old one is worth nothing', () => {
    const kind = { setRecoveryKey: { recoveryKey: STRANGER.publicKey } }
    expectRefusal(() => fold([next(START, kind, { by: FIRST })], START), 'forbidden')
    expectRefusal(() => fold([next(START, kind, { by: STRANGER })], START), 'forbidden')
    const state = fold([next(START, kind, { by: RECOVERY })], START)
    expect(state.recoveryKey).toEqual(STRANGER.publicKey)
    expectRefusal(() => fold([next(state, kind, { by: RECOVERY })], state), 'forbidden')
    const homes = { setHomes: { homes: [moved] } }
    expectRefusal(() => fold([next(state, homes, { by: RECOVERY })], state), 'forbidden')
  })

  test('the recovery key is 32 bytes and no device', () => {
    const replace = (recoveryKey: Uint8Array): identity.SignedOperation =>
      next(START, { setRecoveryKey: { recoveryKey } }, { by: RECOVERY })
    expectRefusal(() => fold([replace(new Uint8Array(31))], START), 'malformed')
    expectRefusal(() => fold([replace(FIRST.publicKey)], START), 'malformed')
  })
})

describe('the chain', () => {
  const kind = { setHomes: { homes: [HOME] } }

  test.each<[string, Partial<identity.Operation>]>([
    ['leaves a gap', { sequence: 2 }],
    [
      'repeats a sequence',
      { sequence: 0, account: new Uint8Array(0), previous: new Uint8Array(0) }
    ],
    ['names another operation before', { previous: new Uint8Array(32) }],
    ['names another account', { account: new Uint8Array(32) }]
  ])('refuses an operation that %s', (_about, changes) => {
    expectRefusal(() => fold([next(START, kind, { changes })], START), 'conflict')
  })

  test('refuses the same operation again, and two successors of one', () => {
    const operation = next(START, kind)
    expectRefusal(() => fold([operation, operation], START), 'conflict')
    expectRefusal(() => fold([operation, next(START, addDevice(START, SECOND))], START), 'conflict')
  })

  test('refuses a log in another order', () => {
    const state = fold([next(START, kind)], START)
    const later = next(state, addDevice(state, SECOND))
    expectRefusal(() => fold([later, next(START, kind)], START), 'conflict')
  })

  test('refuses a second creation', () => {
    expectRefusal(() => fold([create()], START), 'conflict')
    expectRefusal(() => fold([next(START, { create: CREATE })], START), 'forbidden')
  })

  test('refuses every single damaged bit of operation, signer and signature', () => {
    const operation = next(START, addDevice(START, SECOND))
    for (const part of ['operation', 'signer', 'signature'] as const) {
      for (let at = 0; at < operation[part].byteLength; at += 1) {
        const bytes = operation[part].slice()
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
        expect(() => fold([{ ...operation, [part]: bytes }], START), `${part} ${at}`).toThrowError(
          expect.objectContaining({ name: 'ProtocolError' })
        )
      }
    }
  })

  test('refuses a signature made for something else', () => {
    const operation = next(START, kind)
    const bare = { ...operation, signature: FIRST.sign(operation.operation) }
    expectRefusal(() => fold([bare], START), 'forbidden')
    for (const length of [0, 63, 65]) {
      const cut = { ...operation, signature: new Uint8Array(length) }
      expectRefusal(() => fold([cut], START), 'malformed')
    }
    expectRefusal(() => fold([{ ...operation, signer: new Uint8Array(31) }], START), 'malformed')
  })

  test('refuses an operation above 2 KiB and a log above 4,096', () => {
    const padding = Uint8Array.from([0x7a, 0xff, 0x0f, ...new Uint8Array(2_047)])
    const large = signOperation(concat([next(START, kind).operation, padding]), FIRST)
    expectRefusal(() => fold([large], START), 'too-large')
    const full = { ...START, length: identity.OPERATIONS_MAX }
    expectRefusal(() => fold([next(full, kind)], full), 'forbidden')
  })
})

describe('an operation of a later version', () => {
  /** Field 15 of an operation, which no version has: an empty message of an unknown kind. */
  const UNKNOWN_KIND = Uint8Array.of(0x7a, 0x00)

  function unknown(state: identity.AccountState, by: Signer): identity.SignedOperation {
    return signOperation(concat([next(state, {}).operation, UNKNOWN_KIND]), by)
  }

  test('of unknown kind counts in the chain and changes nothing else', () => {
    const operation = unknown(START, FIRST)
    const head = identity.operationHash(operation.operation, checks.sha256)
    const state = fold([operation], START)
    expect(state).toEqual({ ...START, length: 2, head })
    expect(fold([next(state, addDevice(state, SECOND))], state).devices).toHaveLength(2)
  })

  test('of unknown kind is refused from a stranger, unsigned, or out of order', () => {
    const operation = unknown(START, FIRST)
    expectRefusal(() => fold([unknown(START, STRANGER)], START), 'forbidden')
    expectRefusal(() => fold([{ ...operation, signature: new Uint8Array(64) }], START), 'forbidden')
    expectRefusal(() => fold([operation, operation], START), 'conflict')
  })

  test('with a higher version number is carried even when its kind looks known', () => {
    const kind = { setRecoveryKey: { recoveryKey: STRANGER.publicKey } }
    const state = fold([next(START, kind, { changes: { version: 2 } })], START)
    expect(state.recoveryKey).toEqual(RECOVERY.publicKey)
    expect(state.length).toBe(2)
  })

  test('with unknown fields beside a known kind is applied', () => {
    const { operation } = next(START, addDevice(START, SECOND))
    const extended = signOperation(
      concat([operation, Uint8Array.of(0xa2, 0x06, 0x01, 0x00)]),
      FIRST
    )
    expect(fold([extended], START).devices).toHaveLength(2)
  })
})

describe('an operation that two decoders would read differently', () => {
  const homes = { setHomes: { homes: [HOME] } }
  const { operation } = next(START, homes)
  const recoveryKey = concat([Uint8Array.of(0x4a, 0x22, 0x0a, 0x20), STRANGER.publicKey])
  const both = concat([operation, recoveryKey])

  test.each<[string, Uint8Array]>([
    ['has two known kinds', both],
    ['has a known and an unknown kind', concat([operation, Uint8Array.of(0x7a, 0x00)])],
    [
      'has two unknown kinds',
      concat([next(START, {}).operation, Uint8Array.of(0x7a, 0, 0x82, 1, 0)])
    ],
    ['repeats a field', concat([Uint8Array.of(0x08, 0x01), operation])],
    ['has fields that descend', concat([operation.subarray(2), operation.subarray(0, 2)])],
    ['has a known field in another wire form', concat([Uint8Array.of(0x0a, 0x01), operation])]
  ])('is malformed when it %s', (_about, bytes) => {
    expectRefusal(() => fold([signOperation(bytes, RECOVERY)], START), 'malformed')
  })
})

describe('any log', () => {
  const newestOf = ({ devices }: identity.AccountState): Uint8Array =>
    publicKeyOf((devices.at(-1) as identity.DeviceEntry).device)

  /** Each number chooses one valid operation; impossible choices become a change of homes. */
  function build(choices: readonly number[]): identity.SignedOperation[] {
    const log = [create()]
    let state = START
    for (const [index, choice] of choices.entries()) {
      const device = signer(100 + index)
      const relay = signer(150 + index).publicKey
      const operation =
        choice === 0
          ? next(state, addDevice(state, device))
          : choice === 1
            ? next(state, addDevice(state, device), { by: RECOVERY })
            : choice === 2 && state.devices.length > 1
              ? next(state, { removeDevice: { device: newestOf(state) } })
              : next(state, { setHomes: { homes: [{ ...HOME, relay }] } })
      log.push(operation)
      state = fold([operation], state)
    }
    return log
  }

  test('folds to the same state at once, again, and in two parts cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 8 }), fc.nat(), (choices, where) => {
        const log = build(choices)
        const whole = fold(log)
        expect(fold(log)).toEqual(whole)
        const cut = 1 + (where % log.length)
        const prefix = fold(log.slice(0, cut))
        const frozen = structuredClone(prefix)
        expect(fold(log.slice(cut), prefix)).toEqual(whole)
        expect(prefix).toEqual(frozen)
      }),
      { seed: SEED, numRuns: 40 }
    )
  })

  test('is refused once any operation is missing, doubled or moved', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 3 }), { minLength: 2, maxLength: 6 }),
        fc.nat(),
        (choices, where) => {
          const log = build(choices)
          const at = where % (log.length - 1)
          const [operation] = log.slice(at, at + 1) as [identity.SignedOperation]
          const without = log.toSpliced(at, 1)
          expect(() => fold(without)).toThrowError()
          expect(() => fold(log.toSpliced(at, 0, operation))).toThrowError()
          expect(() => fold(without.toSpliced(at + 1, 0, operation))).toThrowError()
        }
      ),
      { seed: SEED, numRuns: 20 }
    )
  })
})
