// A second, plain reading of the envelope specification on node:crypto alone. It makes what `sealEnvelope` would
// never make: envelopes that are wrong in exactly one way, by somebody who holds every key.
import { createCipheriv, createHash, createPrivateKey, hkdfSync, sign } from 'node:crypto'
import { idBytes, publicKeyOf, envelope as wire } from '@kith/protocols'
import { archiveKey, contentOf, salt as fixedSalt, sender } from './envelopes.ts'

const ascii = (text: string) => Buffer.from(`${text}\0`, 'ascii')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const hkdf = (key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length))

export function gcm(key: Uint8Array, plaintext: Uint8Array, data: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12))
  cipher.setAAD(data)
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([body, cipher.getAuthTag()])
}

function ed25519(seed: Uint8Array, message: Uint8Array): Buffer {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return sign(null, message, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** Every step can be replaced; what is not replaced follows the specification. */
export interface Steps {
  readonly archiveKey?: Uint8Array
  readonly salt?: Uint8Array
  readonly seed?: Uint8Array
  readonly account?: Uint8Array
  readonly device?: Uint8Array
  readonly counter?: bigint
  readonly header?: (header: Buffer) => Uint8Array
  readonly contentBytes?: Uint8Array
  readonly signature?: (signature: Buffer) => Uint8Array
  readonly sealed?: (content: Uint8Array, signature: Uint8Array) => Uint8Array
  readonly commitment?: (commitment: Buffer) => Uint8Array
  readonly label?: string
}

export interface ReferenceEnvelope {
  readonly epochTag: Buffer
  readonly headerKey: Buffer
  readonly header: Uint8Array
  readonly messageKey: Buffer
  readonly commitment: Uint8Array
  readonly signature: Uint8Array
  readonly plaintext: Uint8Array
  readonly contentBytes: Uint8Array
  readonly envelope: Uint8Array
}

/** Header fields ‖ 0x80 ‖ zeros, 80 bytes. */
function headerOf(account: Uint8Array, device: Uint8Array, counter: bigint): Buffer {
  const varint: number[] = []
  for (let rest = counter; ; rest >>= 7n) {
    varint.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    if (rest <= 127n) break
  }
  const fields = [[0x0a, account.byteLength], account, [0x12, device.byteLength], device]
  const counterField = counter === 0n ? [] : [0x18, ...varint]
  const all = Buffer.concat([...fields.map((part) => Buffer.from(part)), Buffer.from(counterField)])
  return Buffer.concat([all, Buffer.from([0x80])], 80)
}

/** SealedContent padded with zeros to `length` bytes, or to the smallest power of two from 256 that takes it. */
export function padded(content: Uint8Array, signature: Uint8Array, length?: number): Uint8Array {
  const bare = wire.SealedContent.encode({ content, signature })
  const smallest = 2 ** Math.max(8, Math.ceil(Math.log2(bare.byteLength + 3)))
  const room = (length ?? smallest) - bare.byteLength
  const padding = new Uint8Array(room < 130 ? room - 2 : room - 3)
  return wire.SealedContent.encode({ content, signature, padding })
}

export function build(steps: Steps = {}): ReferenceEnvelope {
  const key = steps.archiveKey ?? archiveKey
  const salt = steps.salt ?? fixedSalt
  const account = steps.account ?? idBytes(sender.account)
  const device = steps.device ?? publicKeyOf(sender.device)
  const counter = steps.counter ?? 1n
  const counterBytes = Buffer.alloc(8)
  counterBytes.writeBigUInt64BE(counter)

  const epochTag = hkdf(key, Buffer.alloc(0), ascii('kith/envelope/tag/1'), 16)
  const headerKey = hkdf(key, salt, ascii('kith/envelope/header/1'), 32)
  const plainHeader = headerOf(account, device, counter)
  const header = steps.header?.(plainHeader) ?? plainHeader
  const info = [ascii('kith/envelope/message/1'), account, device, counterBytes]
  const keys = hkdf(key, salt, Buffer.concat(info), 64)
  const messageKey = keys.subarray(0, 32)
  const commitment = steps.commitment?.(keys.subarray(32)) ?? keys.subarray(32)
  const contentBytes = steps.contentBytes ?? wire.Content.encode(contentOf())
  const toSign = [
    ascii(steps.label ?? 'kith/envelope/signature/1'),
    epochTag,
    salt,
    sha256(header),
    commitment,
    sha256(contentBytes)
  ]
  const signed = ed25519(steps.seed ?? sender.privateKey, Buffer.concat(toSign))
  const signature = steps.signature?.(signed) ?? signed
  const plaintext = steps.sealed?.(contentBytes, signature) ?? padded(contentBytes, signature)
  const data = Buffer.concat([Buffer.from([1]), epochTag, salt])
  const envelope = wire.Envelope.encode({
    version: 1,
    epochTag,
    salt,
    commitment,
    sealedHeader: gcm(headerKey, header, data),
    sealedContent: gcm(messageKey, plaintext, Buffer.concat([data, commitment]))
  })
  return {
    epochTag,
    headerKey,
    header,
    messageKey,
    commitment,
    signature,
    plaintext,
    contentBytes,
    envelope
  }
}
