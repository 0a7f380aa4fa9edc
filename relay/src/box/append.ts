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
import type { Hosted } from '../identity/directory.ts'
import { mapKey } from '../storage/keys.ts'
import type { Destination } from './box.ts'
import type { BoxComponents } from './components.ts'

const ENVELOPE_VERSION = 1

/**
 * Throws ProtocolError: `forbidden` for a device of no account here, `malformed` or `too-large` for what is no
 * envelope, `not-found` with the index of an account that is not here, `quota`,
 * `rate-limited`, `unavailable`.
 */
export async function append(
  request: protocol.AppendRequest,
  caller: Pick<Caller, 'publicKey'>,
  { boxes, directory, primitives, events, rates }: BoxComponents
): Promise<protocol.AppendResponse> {
  const sender = directory.ofDevice(caller.publicKey)
  if (sender === undefined) throw new ProtocolError('forbidden', 'device-of-no-account-here')
  rates.append(sender.account, 1 + request.targets.length)
  requireEnvelope(request.envelope)
  // By itself: a view would keep the whole network buffer in memory as long as the entry is cached.
  const envelope = new Uint8Array(request.envelope)
  const envelopeId = primitives.sha256(envelope)
  const destinations = [
    { box: sender.box, trusted: true },
    ...destinationsOf(request.targets, { sender, subject: envelopeId }, { directory, primitives })
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

/** Who wants to put what into the boxes of others. */
export interface Sending {
  readonly sender: Hosted
  /** 32 bytes that the delivery tokens are made for. */
  readonly subject: Uint8Array
}

/**
 * Boxes of the targets, with what speaks for the sender (a valid token) and against (its owner blocked it). Throws `not-found` or `malformed`.
 */
export function destinationsOf(
  targets: readonly protocol.Target[],
  sending: Sending,
  { directory, primitives }: Pick<BoxComponents, 'directory' | 'primitives'>
): Destination[] {
  const destinations: Destination[] = []
  for (const [index, { account, deliveryToken }] of targets.entries()) {
    requireBytes(account, HASH_BYTES, 'an account')
    const hosted = directory.ofAccount(account)
    if (hosted === undefined) throw new ProtocolError('not-found', `target-${index}`)
    const trusted = isFromContact(hosted, deliveryToken, sending.subject, primitives)
    const isBlocked = hosted.blocked.has(mapKey(sending.sender.account))
    destinations.push({ box: hosted.box, trusted, isBlocked })
  }
  return destinations
}

function isFromContact(
  { account, deliverySecret: secret }: Hosted,
  token: Uint8Array,
  envelopeId: Uint8Array,
  { hmac, equal }: BoxComponents['primitives']
): boolean {
  if (secret === undefined || token.byteLength === 0) return false
  return equal(protocol.deliveryToken({ secret, account, envelopeId }, hmac), token)
}

/** Each box once, as it first appears. */
export function distinct(destinations: readonly Destination[]): Destination[] {
  const byBox = new Map<number, Destination>()
  for (const destination of destinations) {
    if (!byBox.has(destination.box)) byBox.set(destination.box, destination)
  }
  return [...byBox.values()]
}
