// A device as a relay sees one: an account of its own, a connection, envelopes of the right shape. The seals are
// random bytes, which nobody without a key can tell from real ones; no messenger is involved.
import {
  type Network,
  noMetrics,
  type PeerAddress,
  type Primitives,
  silentLog,
  systemClock,
  systemRandom
} from '@kith/node/kernel'
import { createNetwork, nodePrimitives } from '@kith/node/kernel/host'
import { box, envelope, identity, type JoinLink, parseJoinLink, publicKeyOf } from '@kith/protocols'

/** A text of 200 bytes with its signature and heads (about 400 bytes) is padded to the 512 bucket. */
const SEALED_CONTENT_BYTES = 512 + 16
/** An account, a device key and a counter, with the seal's tag. */
const SEALED_HEADER_BYTES = 72 + 16
const KEY_BYTES = 32

const primitives: Primitives = nodePrimitives

export interface Device {
  readonly network: Network
  readonly relay: PeerAddress
  /** 32 bytes */
  readonly account: Uint8Array
  /** 32 bytes, known to the relay: contacts prove themselves under it. */
  readonly deliverySecret: Uint8Array
}

/** Makes a device and its account at the relay of a join link. */
export async function joinRelay(link: string): Promise<Device> {
  const join = parseJoinLink(link)
  const keys = primitives.keyPair(systemRandom.bytes(KEY_BYTES))
  const network = await networkOf(keys.privateKey)
  const relay = { id: join.relay, addresses: join.addresses }
  const operation = firstOperation(join, keys.publicKey)
  const signature = primitives.sign(keys.privateKey, identity.operationToSign(operation))
  await network.rpc.request(relay, identity.identityAppend, {
    operation: { operation, signer: keys.publicKey, signature },
    invite: join.invite
  })
  const deliverySecret = systemRandom.bytes(envelope.DELIVERY_SECRET_BYTES)
  await network.rpc.request(relay, box.boxConfigure, { deliverySecret, blocked: [] })
  const account = identity.operationHash(operation, primitives.sha256)
  return { network, relay, account, deliverySecret }
}

/** The network of a device: 32 bytes, Ed25519 seed. */
export function networkOf(privateKey: Uint8Array): Promise<Network> {
  return createNetwork({
    privateKey,
    listen: [],
    profile: 'node',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: noMetrics
  })
}

function firstOperation(join: JoinLink, device: Uint8Array): Uint8Array {
  return identity.Operation.encode({
    version: identity.OPERATION_VERSION,
    account: new Uint8Array(0),
    sequence: 0,
    previous: new Uint8Array(0),
    createdAtMs: systemClock.now(),
    create: {
      nonce: systemRandom.bytes(identity.NONCE_BYTES),
      device,
      recoveryKey: primitives.keyPair(systemRandom.bytes(KEY_BYTES)).publicKey,
      homes: [{ relay: publicKeyOf(join.relay), addresses: [...join.addresses] }]
    }
  })
}

/** An append of one new envelope for the recipient, with the token of a contact. */
export function sealedAppend(recipient: Device): { request: box.AppendRequest; id: string } {
  const bytes = envelope.Envelope.encode({
    version: 1,
    epochTag: systemRandom.bytes(envelope.EPOCH_TAG_BYTES),
    salt: systemRandom.bytes(envelope.SALT_BYTES),
    commitment: systemRandom.bytes(envelope.COMMITMENT_BYTES),
    sealedHeader: systemRandom.bytes(SEALED_HEADER_BYTES),
    sealedContent: systemRandom.bytes(SEALED_CONTENT_BYTES)
  })
  const envelopeId = primitives.sha256(bytes)
  const token = box.deliveryToken(
    { secret: recipient.deliverySecret, account: recipient.account, envelopeId },
    primitives.hmac
  )
  const targets = [{ account: recipient.account, deliveryToken: token }]
  return { request: { envelope: bytes, targets }, id: keyOf(envelopeId) }
}

/** A map's key for the 32 bytes of an envelope id. */
export function keyOf(envelopeId: Uint8Array): string {
  return Buffer.from(envelopeId).toString('latin1')
}
