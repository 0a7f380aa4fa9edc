// identity/append: adds one signed operation to an account's log, creating the account with the first.

import type { Write } from '@kith/node/kernel'
import {
  type AccountId,
  accountIdOf,
  type Caller,
  idBytes,
  identity,
  ProtocolError,
  publicKeyOf
} from '@kith/protocols'
import { isOpen } from '../config/index.ts'
import type { IdentityComponents } from './components.ts'
import {
  accountWrite,
  loadAccount,
  loadOperations,
  operationWrite,
  type StoredAccount
} from './records.ts'
import { decideAppend, removedDevices } from './state.ts'

/**
 * Serves one append; the caller runs these one at a time. Answers only when the operation, and for a new
 * account its box, are on disk. Throws what `decideAppend` throws, and
 * `rate-limited`.
 */
export async function appendOperation(
  request: identity.AppendOperationRequest,
  caller: Pick<Caller, 'host'>,
  components: IdentityComponents
): Promise<identity.AppendOperationResponse> {
  const signed = request.operation
  if (signed === undefined) throw new ProtocolError('malformed', 'no operation')
  const operation = identity.readOperation(signed)
  const account = accountOf(operation, signed, components)
  const stored = await loadAccount(components.store, account)
  // Also those that will be refused: an invite must not be found by trying.
  if (stored === undefined) components.rates.register(caller.host)
  const invite = stored === undefined ? await components.invites.find(request.invite) : undefined
  const atSequence = stored && (await operationAt(stored, operation.sequence, components))
  const { directory, config } = components
  const decision = decideAppend(
    {
      signed,
      operation,
      stored: stored?.state,
      atSequence,
      relay: components.relay,
      mayRegister: isOpen(config) || (config.registration !== 'closed' && invite !== undefined),
      hasRoom: directory.size < config.limits.accountsMax,
      isForeign: (device) => {
        const owner = directory.ofDevice(publicKeyOf(device))
        return owner !== undefined && owner.box !== stored?.box
      }
    },
    components.primitives
  )
  if (decision.type === 'repeat') return { length: decision.length }
  await store(signed, decision.state, { stored, inviteUse: invite?.use }, components)
  return { length: decision.state.length }
}

interface Before {
  readonly stored: StoredAccount | undefined
  readonly inviteUse: Write | undefined
}

async function store(
  signed: identity.SignedOperation,
  state: identity.AccountState,
  before: Before,
  components: IdentityComponents
): Promise<void> {
  const { directory, events, commit } = components
  const box = before.stored?.box ?? directory.nextBox
  const removed = removedDevices(before.stored?.state, state)
  const writes = [
    accountWrite({ box, state }),
    operationWrite(box, state.length - 1, signed),
    ...(before.inviteUse === undefined ? [] : [before.inviteUse])
  ]
  const devices = state.devices.map(({ device }) => publicKeyOf(device))
  const entry = { box, account: idBytes(state.account), devices }
  if (removed.length > 0) {
    const revoke = () => void directory.set(entry)
    await components.removeDevices({ box, devices: removed, writes, revoke })
  } else {
    await commit(writes)
  }
  const hosted = directory.set(entry)
  if (before.stored !== undefined) return events.accountChanged()
  await components.openBox(hosted)
  events.accountCreated()
}

function accountOf(
  operation: identity.Operation,
  signed: identity.SignedOperation,
  { primitives }: IdentityComponents
): AccountId {
  return operation.sequence === 0
    ? identity.accountIdOfFirst(signed.operation, primitives.sha256)
    : accountIdOf(operation.account)
}

async function operationAt(
  { box, state }: StoredAccount,
  sequence: number,
  components: IdentityComponents
): Promise<identity.SignedOperation | undefined> {
  if (sequence >= state.length) return undefined
  const [found] = await loadOperations(components.store, box, { from: sequence, limit: 1 })
  return found
}
