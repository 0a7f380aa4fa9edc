// What a new device is handed: the account's log and secrets, contacts with what is known of them, and the keys of
// every conversation. It comes from a device that the user has compared emoji with, and is checked all the same.
import {
  type AccountId,
  type DeviceId,
  identity,
  MIB,
  ProtocolError,
  publicKeyOf,
  requireName
} from '@kith/protocols'
import { Directory } from '../contacts/directory.ts'
import { importWrites, type TransferredConversation } from '../delivery/transfer.ts'
import { type Profile, profileWrite } from '../identity/profile.ts'
import type { Primitives } from '../kernel/primitives.ts'
import { decodeRecord, encodeRecord } from '../kernel/record.ts'
import type { Rpc } from '../kernel/rpc.ts'
import { rangeOf, storeKey } from '../kernel/store/key.ts'
import type { SealedStore } from '../kernel/store/sealed.ts'
import type { Store, Write } from '../kernel/store/store.ts'
import { type DeviceNames, deviceNamesWrite } from './device-names.ts'

const VERSION = 1
/** Unpacked; a bundle that travels is at most 2 MiB. More would let one fill the memory of a small device. */
const UNPACKED_BYTES_MAX = 64 * MIB
/** Records that mean the same on every device of the account, key and all. */
const SHARED_PREFIXES = ['contacts/contact'] as const

interface SharedRecord {
  readonly prefix: string
  /** What follows the prefix. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}

interface KnownLog {
  readonly account: AccountId
  readonly operations: readonly identity.SignedOperation[]
}

export interface Bundle {
  readonly version: number
  readonly name: string
  /** 32 bytes */
  readonly deliverySecret: Uint8Array
  /** The account's whole log, the new device included. */
  readonly operations: readonly identity.SignedOperation[]
  readonly deviceNames: DeviceNames
  readonly records: readonly SharedRecord[]
  /** Logs of contacts, so that none is ever taken shorter than once seen. */
  readonly logs: readonly KnownLog[]
  readonly conversations: readonly TransferredConversation[]
}

/** Packs what this device knows. `known` are the accounts whose logs go along. */
export async function packBundle(
  { store, directory }: { store: Store; directory: Directory },
  init: Pick<Bundle, 'name' | 'deliverySecret' | 'deviceNames' | 'conversations'> & {
    account: AccountId
    known: readonly AccountId[]
  }
): Promise<Uint8Array> {
  const { account, known, name, deliverySecret, deviceNames, conversations } = init
  const records: SharedRecord[] = []
  for (const prefix of SHARED_PREFIXES) {
    const { byteLength } = storeKey(prefix)
    for await (const [key, value] of store.scan(rangeOf(prefix))) {
      records.push({ prefix, key: key.slice(byteLength), value })
    }
  }
  const bundle: Bundle = {
    version: VERSION,
    name,
    deliverySecret,
    operations: directory.operations(account),
    deviceNames,
    records,
    logs: known
      .map((one) => ({ account: one, operations: directory.operations(one) }))
      .filter(({ operations }) => operations.length > 0),
    conversations
  }
  return await through(encodeRecord(bundle), new CompressionStream('gzip'))
}

/** Unpacks and checks. Throws ProtocolError `malformed`, `too-large` or what the fold of the account's log throws. */
export async function unpackBundle(
  packed: Uint8Array,
  expected: { account: AccountId; device: DeviceId; primitives: Primitives }
): Promise<Bundle & { state: identity.AccountState }> {
  const bundle = await decode(packed)
  if (bundle.version !== VERSION)
    throw new ProtocolError('malformed', 'a bundle of another version')
  const { account, device, primitives } = expected
  const state = identity.foldAccountLog(bundle.operations, primitives)
  if (state.account !== account) throw new ProtocolError('forbidden', 'a bundle of another account')
  if (!identity.hasDevice(state, publicKeyOf(device))) {
    throw new ProtocolError('forbidden', 'the account does not name this device')
  }
  requireName(bundle.name)
  const isWhole =
    bundle.deliverySecret instanceof Uint8Array &&
    bundle.deliverySecret.byteLength === 32 &&
    [bundle.records, bundle.logs, bundle.conversations].every(Array.isArray) &&
    bundle.records.every(isShared)
  if (!isWhole) throw new ProtocolError('malformed', 'a bundle with parts missing')
  return { ...bundle, state }
}

/** Fills an empty store; when it resolves, a messenger can be opened on it. */
export async function installBundle(
  components: { store: SealedStore; rpc: Rpc; primitives: Primitives },
  { state, ...bundle }: Bundle & { state: identity.AccountState }
): Promise<Profile> {
  const { name, deliverySecret, operations } = bundle
  const { account, homes } = state
  const profile: Profile = { account, name, operations, homes, deliverySecret, invite: '' }
  const directory = new Directory(components)
  for (const log of bundle.logs) await directory.learn(log.account, log.operations)
  const records = bundle.records.map(
    ({ prefix, key, value }): Write => ({ type: 'put', key: storeKey(prefix, key), value })
  )
  await components.store.commit([
    ...records,
    ...importWrites(bundle.conversations),
    deviceNamesWrite(bundle.deviceNames),
    // What makes the store one of an account; with it all the rest is there.
    profileWrite(profile)
  ])
  return profile
}

const isShared = ({ prefix, key, value }: SharedRecord): boolean =>
  SHARED_PREFIXES.some((one) => one === prefix) &&
  key instanceof Uint8Array &&
  value instanceof Uint8Array

async function decode(packed: Uint8Array): Promise<Bundle> {
  try {
    return decodeRecord<Bundle>(await through(packed, new DecompressionStream('gzip')))
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause
    throw new ProtocolError('malformed', 'not a bundle', { cause })
  }
}

/** Everything a stream makes of the bytes. Throws `too-large`. */
async function through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream)
  for await (const part of source as unknown as AsyncIterable<Uint8Array>) {
    length += part.byteLength
    if (length > UNPACKED_BYTES_MAX) throw new ProtocolError('too-large', 'a bundle')
    parts.push(part)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
