// Account logs as vectors: one that is valid, and one for each rule that is broken.
import { type ErrorCode, idBytes, identity } from '@kith/protocols'
import { checks, filled, type Signer, signerOf } from './keys.ts'

const FIRST = signerOf(1)
const SECOND = signerOf(2)
const RECOVERY = signerOf(9)
const STRANGER = signerOf(66)
const HOME: identity.Home = {
  relay: signerOf(20).publicKey,
  addresses: ['/ip4/127.0.0.1/tcp/4001']
}

type Kind = Pick<
  identity.Operation,
  'create' | 'addDevice' | 'removeDevice' | 'setHomes' | 'setRecoveryKey'
>

function signed(operation: Partial<identity.Operation>, by: Signer): identity.SignedOperation {
  const bytes = identity.Operation.encode(operation)
  return {
    operation: bytes,
    signer: by.publicKey,
    signature: by.sign(identity.operationToSign(bytes))
  }
}

function following(state: identity.AccountState, kind: Kind, by: Signer): identity.SignedOperation {
  const { account, length, head } = state
  return signed(
    {
      version: 1,
      account: idBytes(account),
      sequence: length,
      previous: head,
      createdAtMs: 1_700_000_000_000 + length,
      ...kind
    },
    by
  )
}

function adding(state: identity.AccountState, device: Signer): Kind {
  const consent = device.sign(identity.consentToSign(state.account, device.publicKey))
  return { addDevice: { device: device.publicKey, consent } }
}

/** A log of every kind of operation with the state after each, and logs that are refused. */
export function accountLog(): unknown {
  const log: identity.SignedOperation[] = []
  const states: identity.AccountState[] = []
  const append = (operation: identity.SignedOperation): identity.AccountState => {
    const state = identity.foldAccountLog([operation], checks, states.at(-1))
    log.push(operation)
    states.push(state)
    return state
  }
  const create = {
    nonce: filled(7),
    device: FIRST.publicKey,
    recoveryKey: RECOVERY.publicKey,
    homes: [HOME]
  }
  const first = append(signed({ version: 1, createdAtMs: 1_700_000_000_000, create }, FIRST))
  const second = append(following(first, adding(first, SECOND), FIRST))
  const moved = { ...HOME, addresses: ['/dns4/relay.example/tcp/443/tls/ws'] }
  const third = append(following(second, { setHomes: { homes: [moved] } }, SECOND))
  const fourth = append(
    following(third, { setRecoveryKey: { recoveryKey: signerOf(10).publicKey } }, RECOVERY)
  )
  const removal = { removeDevice: { device: SECOND.publicKey } }
  const fifth = append(following(fourth, removal, FIRST))
  append(following(fifth, adding(fifth, SECOND), FIRST))
  const invalid = (
    about: string,
    code: ErrorCode,
    operations: readonly identity.SignedOperation[]
  ): unknown => ({
    about,
    code,
    operations: operations.map((operation) => identity.SignedOperation.encode(operation))
  })
  const [a, b, c] = log as [
    identity.SignedOperation,
    identity.SignedOperation,
    identity.SignedOperation
  ]
  const untilRemoval = log.slice(0, 5)
  const foreignConsent = {
    addDevice: {
      device: SECOND.publicKey,
      consent: STRANGER.sign(identity.consentToSign(first.account, SECOND.publicKey))
    }
  }
  return {
    valid: log.map((operation, index) => ({
      operation: identity.SignedOperation.encode(operation),
      state: states[index]
    })),
    invalid: [
      invalid('created by a stranger', 'forbidden', [signed({ version: 1, create }, STRANGER)]),
      invalid('begins in the middle', 'conflict', [b]),
      invalid('leaves one out', 'conflict', [a, c]),
      invalid('has one twice', 'conflict', [a, b, b]),
      invalid('device added by a stranger', 'forbidden', [
        a,
        following(first, adding(first, SECOND), STRANGER)
      ]),
      invalid('device added without its consent', 'forbidden', [
        a,
        following(first, foreignConsent, FIRST)
      ]),
      invalid('device added twice', 'conflict', [
        a,
        b,
        following(second, adding(second, SECOND), FIRST)
      ]),
      invalid('recovery key set by a device', 'forbidden', [
        a,
        following(first, { setRecoveryKey: { recoveryKey: SECOND.publicKey } }, FIRST)
      ]),
      invalid('device removed by a stranger', 'forbidden', [
        a,
        b,
        following(second, removal, STRANGER)
      ]),
      invalid('device removed that is not there', 'conflict', [
        a,
        following(first, removal, FIRST)
      ]),
      invalid('last device removed', 'forbidden', [
        a,
        following(first, { removeDevice: { device: FIRST.publicKey } }, RECOVERY)
      ]),
      invalid('signed by a removed device', 'forbidden', [
        ...untilRemoval,
        following(fifth, { setHomes: { homes: [HOME] } }, SECOND)
      ]),
      invalid('no homes', 'malformed', [a, following(first, { setHomes: { homes: [] } }, FIRST)]),
      invalid('signature of another operation', 'forbidden', [a, { ...b, signature: c.signature }]),
      invalid('signature cut short', 'malformed', [a, { ...b, signature: b.signature.subarray(1) }])
    ]
  }
}
