// box/append: one envelope into the caller's own box and each target's, all or nothing.
import {
  type Caller,
  decodeBounded,
  envelope as envelopes,
  HASH_BYTES,
  ProtocolError,
  box as protocol,
  requireBytes
} from '@kith/protocols'
import { mapKey } from '../storage/keys.ts'
import type { Destination } from './box.ts'
import type { BoxComponents } from './components.ts'

const ENVELOPE_VERSION = 1

/**
 * Throws ProtocolError: `forbidden` for a device of no account here, `malformed` or `too-large` for what is no
 * envelope, `not-found` with the index of an account that is not here, `quota`, `unavailable`.
 */
export async function append(
  request: protocol.AppendRequest,
  caller: Pick<Caller, 'publicKey'>,
  { boxes, directory, primitives, events }: BoxComponents
): Promise<protocol.AppendResponse> {
  const sender = directory.ofDevice(caller.publicKey)
  if (sender === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  requireEnvelope(request.envelope)
  // By itself: a view would keep the whole network buffer in memory as long as the entry is cached.
  const envelope = new Uint8Array(request.envelope)
  const envelopeId = primitives.sha256(envelope)
  const destinations = [
    { box: sender.box, trusted: true },
    ...destinationsOf(request.targets, envelopeId, { directory, primitives })
  ]
  const number = await boxes.append({
    device: mapKey(caller.publicKey),
    id: mapKey(envelopeId),
    envelopeId,
    envelope,
    destinations: distinct(destinations)
  })
  events.appended(envelope.byteLength)
  return { storeEpoch: boxes.storeEpoch, number }
}

/** Throws `too-large` or `malformed` unless the bytes are an envelope of the version this relay stores. */
export function requireEnvelope(bytes: Uint8Array): void {
  const envelope = decodeBounded(envelopes.Envelope, bytes, envelopes.ENVELOPE_BYTES_MAX)
  if (envelope.version !== ENVELOPE_VERSION) {
    throw new ProtocolError('malformed', 'envelope-version')
  }
  requireBytes(envelope.epochTag, envelopes.EPOCH_TAG_BYTES, 'an epoch tag')
  requireBytes(envelope.salt, envelopes.SALT_BYTES, 'a salt')
  requireBytes(envelope.commitment, envelopes.COMMITMENT_BYTES, 'a commitment')
  if (envelope.sealedHeader.byteLength === 0 || envelope.sealedContent.byteLength === 0) {
    throw new ProtocolError('malformed', 'envelope-empty')
  }
}

/** Boxes of the targets; those with a valid token for `subject` (32 bytes) are trusted. */
export function destinationsOf(
  targets: readonly protocol.Target[],
  subject: Uint8Array,
  { directory, primitives }: Pick<BoxComponents, 'directory' | 'primitives'>
): Destination[] {
  return targets.map(({ account, deliveryToken }, index) => {
    requireBytes(account, HASH_BYTES, 'an account')
    const hosted = directory.ofAccount(account)
    if (hosted === undefined) throw new ProtocolError('not-found', `target-${index}`)
    const { box, deliverySecret: secret } = hosted
    if (secret === undefined || deliveryToken.byteLength === 0) return { box, trusted: false }
    const expected = protocol.deliveryToken(
      { secret, account, envelopeId: subject },
      primitives.hmac
    )
    return { box, trusted: primitives.equal(expected, deliveryToken) }
  })
}

/** Each box once, as it first appears. */
export function distinct(destinations: readonly Destination[]): Destination[] {
  const byBox = new Map<number, Destination>()
  for (const destination of destinations) {
    if (!byBox.has(destination.box)) byBox.set(destination.box, destination)
  }
  return [...byBox.values()]
}
