// Operations this package builds, judged by the fold that relays and contacts run.
import { type DeviceId, deviceIdOf, identity, relayIdOf } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import {
  addDeviceOperation,
  createAccountOperation,
  removeDeviceOperation,
  setHomesOperation,
  setRecoveryKeyOperation,
  signConsent
} from '../../src/identity/account.ts'
import { createDeviceKeys } from '../../src/identity/keys.ts'
import { createRecoveryKey } from '../../src/identity/recovery.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { systemRandom as random } from '../../src/kernel/random.ts'

const relay = relayIdOf(primitives.keyPair(random.bytes(32)).publicKey)
const homes = [{ relay, addresses: ['/ip4/127.0.0.1/tcp/4001'] }]
const laptop = createDeviceKeys(random.bytes(32), primitives).keyPair
const phone = createDeviceKeys(random.bytes(32), primitives).keyPair
const recovery = createRecoveryKey(random, primitives).keyPair
const createdAtMs = 1_700_000_000_000

const creation = createAccountOperation(
  { nonce: random.bytes(32), device: laptop, recoveryKey: recovery.publicKey, homes, createdAtMs },
  primitives
)
const created = identity.foldAccountLog([creation.operation], primitives)

function fold(operation: identity.SignedOperation, onto = created): identity.AccountState {
  return identity.foldAccountLog([operation], primitives, onto)
}

describe('account operations', () => {
  test('create an account whose id is the hash of its first operation', () => {
    expect(created.account).toBe(creation.account)
    expect(created.devices.map(({ device }) => device)).toEqual([deviceIdOf(laptop.publicKey)])
    expect(created.homes).toEqual(homes)
    expect(created.recoveryKey).toEqual(recovery.publicKey)
  })

  test('add a device that consents', () => {
    const consent = signConsent({ account: created.account, device: phone }, primitives)
    const device = deviceIdOf(phone.publicKey)
    const onto = { state: created, signer: laptop, createdAtMs }
    const next = fold(addDeviceOperation({ device, consent, ...onto }, primitives))
    expect(next.devices.map((entry) => entry.device)).toContain(device)
    expect(next.length).toBe(2)
  })

  test('remove a device, but not the last one', () => {
    const consent = signConsent({ account: created.account, device: phone }, primitives)
    const [first, second] = [deviceIdOf(laptop.publicKey), deviceIdOf(phone.publicKey)]
    const onto = { state: created, signer: laptop, createdAtMs }
    const both = fold(addDeviceOperation({ device: second, consent, ...onto }, primitives))
    const left = (device: DeviceId, state: identity.AccountState, signer = laptop) => {
      const operation = removeDeviceOperation({ device, state, signer, createdAtMs }, primitives)
      return fold(operation, state).devices.map((entry) => entry.device)
    }
    expect(left(second, both)).toEqual([first])
    expect(left(first, both, phone)).toEqual([second])
    expect(() => left(first, created)).toThrow(expect.objectContaining({ code: 'forbidden' }))
  })

  test('do not add a device that consented to another account', () => {
    const other = createAccountOperation(
      {
        nonce: random.bytes(32),
        device: laptop,
        recoveryKey: recovery.publicKey,
        homes,
        createdAtMs
      },
      primitives
    )
    const consent = signConsent({ account: other.account, device: phone }, primitives)
    const onto = { state: created, signer: laptop, createdAtMs }
    const device = deviceIdOf(phone.publicKey)
    const operation = addDeviceOperation({ device, consent, ...onto }, primitives)
    expect(() => fold(operation)).toThrow(expect.objectContaining({ code: 'forbidden' }))
  })

  test('move the account to other homes', () => {
    const moved = [
      ...homes,
      { relay: relayIdOf(phone.publicKey), addresses: ['/ip4/10.0.0.1/tcp/1'] }
    ]
    const onto = { state: created, signer: laptop, createdAtMs }
    expect(fold(setHomesOperation({ homes: moved, ...onto }, primitives)).homes).toEqual(moved)
  })

  test('replace the recovery key when the recovery key signs, and else do not', () => {
    const recoveryKey = createRecoveryKey(random, primitives).keyPair.publicKey
    const by = (signer: typeof laptop) =>
      setRecoveryKeyOperation({ recoveryKey, state: created, signer, createdAtMs }, primitives)
    expect(fold(by(recovery)).recoveryKey).toEqual(recoveryKey)
    expect(() => fold(by(laptop))).toThrow(expect.objectContaining({ code: 'forbidden' }))
  })

  test('do not follow an operation that another one has followed', () => {
    const operation = setHomesOperation(
      { homes, state: created, signer: laptop, createdAtMs },
      primitives
    )
    const after = fold(operation)
    expect(() => fold(operation, after)).toThrow(expect.objectContaining({ code: 'conflict' }))
  })
})
