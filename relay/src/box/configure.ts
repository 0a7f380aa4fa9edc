// box/configure: settings of the caller's account: the delivery secret, by which its contacts are told from
// strangers, and the accounts from which nothing is taken. Record: secret, count of blocked, blocked (32 bytes).
import {
  type Caller,
  envelope as envelopes,
  HASH_BYTES,
  ProtocolError,
  type box as protocol,
  requireBytes
} from '@kith/protocols'
import type { Hosted } from '../identity/directory.ts'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, mapKey, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { BoxNumber } from './box.ts'
import type { BoxComponents } from './components.ts'

export type BoxSettings = Pick<Hosted, 'deliverySecret' | 'blocked'>

/** Answers once on disk. Throws `forbidden` for a device of no account here, `malformed` for wrong lengths. */
export async function configure(
  { deliverySecret, blocked }: protocol.ConfigureRequest,
  caller: Pick<Caller, 'publicKey'>,
  { directory, commit }: Pick<BoxComponents, 'directory' | 'commit'>
): Promise<protocol.ConfigureResponse> {
  const hosted = directory.ofDevice(caller.publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  requireBytes(deliverySecret, envelopes.DELIVERY_SECRET_BYTES, 'a delivery secret')
  const record = new FieldWriter().fixed(deliverySecret).varint(blocked.length)
  for (const account of blocked) record.fixed(requireBytes(account, HASH_BYTES, 'an account'))
  const value = record.finish()
  await commit([{ type: 'put', key: key(TABLE.settings, hosted.box), value }])
  Object.assign(hosted, readSettings(value))
  return {}
}

/** Undefined before a device has configured the box. */
export async function loadSettings(
  store: StoreReader,
  box: BoxNumber
): Promise<BoxSettings | undefined> {
  const record = await store.get(key(TABLE.settings, box))
  return record && readSettings(record)
}

function readSettings(record: Uint8Array): BoxSettings {
  const reader = new FieldReader(record)
  const deliverySecret = reader.copy(envelopes.DELIVERY_SECRET_BYTES)
  const blocked = new Set<string>()
  for (let left = reader.varint(); left > 0; left--) blocked.add(mapKey(reader.fixed(HASH_BYTES)))
  return { deliverySecret, blocked }
}
