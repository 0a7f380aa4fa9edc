// The identity service's records. Account: box, length, head (32 bytes), recovery key (32), devices (32 and the
// sequence that added each), homes. Operation: the SignedOperation as it came, under box and sequence.
import type { Write } from '@kith/node/kernel'
import {
  type AccountId,
  accountIdOf,
  deviceIdOf,
  HASH_BYTES,
  idBytes,
  identity,
  PUBLIC_KEY_BYTES,
  publicKeyOf,
  relayIdOf
} from '@kith/protocols'
import type { BoxNumber } from '../box/box.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, rangeOf, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'

export interface StoredAccount {
  readonly box: BoxNumber
  readonly state: identity.AccountState
}

const accountKey = (account: AccountId): Uint8Array => key(TABLE.account, idBytes(account))

/** The record of an account as its log has it now. */
export function accountWrite({ box, state }: StoredAccount): Write {
  const record = new FieldWriter()
    .varint(box)
    .varint(state.length)
    .fixed(state.head)
    .fixed(state.recoveryKey)
    .varint(state.devices.length)
  for (const { device, addedAt } of state.devices) {
    record.fixed(publicKeyOf(device)).varint(addedAt)
  }
  record.varint(state.homes.length)
  for (const { relay, addresses } of state.homes) {
    record.fixed(publicKeyOf(relay)).varint(addresses.length)
    for (const address of addresses) record.text(address)
  }
  return { type: 'put', key: accountKey(state.account), value: record.finish() }
}

function readAccount(account: AccountId, record: Uint8Array): StoredAccount {
  const reader = new FieldReader(record)
  const box = reader.varint()
  const length = reader.varint()
  const head = reader.copy(HASH_BYTES)
  const recoveryKey = reader.copy(PUBLIC_KEY_BYTES)
  const devices = times(reader.varint(), () => ({
    device: deviceIdOf(reader.fixed(PUBLIC_KEY_BYTES)),
    addedAt: reader.varint()
  }))
  const homes = times(reader.varint(), () => ({
    relay: relayIdOf(reader.fixed(PUBLIC_KEY_BYTES)),
    addresses: times(reader.varint(), () => reader.text())
  }))
  return { box, state: { account, length, head, recoveryKey, devices, homes } }
}

/** The account, or undefined when it is not hosted here. */
export async function loadAccount(
  store: StoreReader,
  account: AccountId
): Promise<StoredAccount | undefined> {
  const record = await store.get(accountKey(account))
  return record === undefined ? undefined : readAccount(account, record)
}

/** Every account on disk. */
export async function* loadAccounts(store: StoreReader): AsyncIterable<StoredAccount> {
  for await (const [recordKey, record] of store.scan(rangeOf(TABLE.account))) {
    yield readAccount(accountIdOf(recordKey.subarray(1)), record)
  }
}

/** The record of one operation as it came, signature included. */
export function operationWrite(
  box: BoxNumber,
  sequence: number,
  signed: identity.SignedOperation
): Write {
  return {
    type: 'put',
    key: key(TABLE.operation, box, sequence),
    value: new FieldWriter().fixed(identity.SignedOperation.encode(signed)).finish()
  }
}

/** At most `limit` operations from a sequence on. */
export async function loadOperations(
  store: StoreReader,
  box: BoxNumber,
  range: { readonly from: number; readonly limit: number }
): Promise<identity.SignedOperation[]> {
  const operations: identity.SignedOperation[] = []
  const { to } = rangeOf(TABLE.operation, box)
  const from = key(TABLE.operation, box, range.from)
  for await (const [, record] of store.scan({ from, to, limit: range.limit })) {
    operations.push(identity.SignedOperation.decode(new FieldReader(record).rest()))
  }
  return operations
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}
