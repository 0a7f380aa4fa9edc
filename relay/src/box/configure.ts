// box/configure: the delivery secret of the caller's account, by which its contacts are told from strangers.
import {
  type Caller,
  envelope as envelopes,
  ProtocolError,
  type box as protocol,
  requireBytes
} from '@kith/protocols'
import { FieldReader, FieldWriter } from '../storage/fields.ts'
import { key, TABLE } from '../storage/keys.ts'
import type { StoreReader } from '../storage/reader.ts'
import type { BoxNumber } from './box.ts'
import type { BoxComponents } from './components.ts'

/** Answers once the secret is on disk. Throws `forbidden` for a device of no account here, `malformed`. */
export async function configure(
  { deliverySecret }: protocol.ConfigureRequest,
  caller: Pick<Caller, 'publicKey'>,
  { directory, commit }: Pick<BoxComponents, 'directory' | 'commit'>
): Promise<protocol.ConfigureResponse> {
  const hosted = directory.ofDevice(caller.publicKey)
  if (hosted === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  requireBytes(deliverySecret, envelopes.DELIVERY_SECRET_BYTES, 'a delivery secret')
  const value = new FieldWriter().fixed(deliverySecret).finish()
  await commit([{ type: 'put', key: key(TABLE.deliverySecret, hosted.box), value }])
  hosted.deliverySecret = new Uint8Array(deliverySecret)
  return {}
}

/** 32 bytes, or undefined before a device has set one. */
export async function loadDeliverySecret(
  store: StoreReader,
  box: BoxNumber
): Promise<Uint8Array | undefined> {
  const record = await store.get(key(TABLE.deliverySecret, box))
  return record && new FieldReader(record).copy(envelopes.DELIVERY_SECRET_BYTES)
}
