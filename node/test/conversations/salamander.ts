// An "invisible salamander": one AES-GCM ciphertext whose tag is right under two keys (Dodis, Grubbs, Ristenpart,
// Woodage 2018). One block is free; it is solved for in GF(2^128).
import { createCipheriv } from 'node:crypto'

const BLOCK_BYTES = 16
/** x^128 + x^7 + x^2 + x + 1 in GCM's reflected bit order. */
const REDUCTION = 0xe1n << 120n
const ONE = 1n << 127n

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n
  let shifted = b
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if (((a >> bit) & 1n) === 1n) product ^= shifted
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ REDUCTION : shifted >> 1n
  }
  return product
}

function power(base: bigint, exponent: bigint): bigint {
  let result = ONE
  for (
    let square = base, rest = exponent;
    rest > 0n;
    rest >>= 1n, square = multiply(square, square)
  ) {
    if ((rest & 1n) === 1n) result = multiply(result, square)
  }
  return result
}

const inverse = (value: bigint) => power(value, (1n << 128n) - 2n)
const toNumber = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
const toBytes = (value: bigint) => Buffer.from(value.toString(16).padStart(32, '0'), 'hex')

function encryptBlock(key: Uint8Array, block: Uint8Array): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return toNumber(Buffer.concat([cipher.update(block), cipher.final()]))
}

function blocksOf(bytes: Uint8Array): bigint[] {
  const blocks: bigint[] = []
  for (let start = 0; start < bytes.byteLength; start += BLOCK_BYTES) {
    blocks.push(toNumber(Buffer.concat([bytes.subarray(start, start + BLOCK_BYTES)], BLOCK_BYTES)))
  }
  return blocks
}

/** Tag of associated data and ciphertext under a key, for the nonce of twelve zeros. */
function tagOf(key: Uint8Array, data: Uint8Array, ciphertext: Uint8Array): bigint {
  const h = encryptBlock(key, Buffer.alloc(BLOCK_BYTES))
  const lengths = Buffer.alloc(BLOCK_BYTES)
  lengths.writeBigUInt64BE(BigInt(data.byteLength * 8), 0)
  lengths.writeBigUInt64BE(BigInt(ciphertext.byteLength * 8), 8)
  const blocks = [...blocksOf(data), ...blocksOf(ciphertext), toNumber(lengths)]
  const hash = blocks.reduce((sum, block) => multiply(sum ^ block, h), 0n)
  const counter = Buffer.alloc(BLOCK_BYTES)
  counter[BLOCK_BYTES - 1] = 1
  return hash ^ encryptBlock(key, counter)
}

/**
 * A ciphertext with its tag that opens under both keys. `body` is a whole number of blocks; its last one is
 * replaced.
 */
export function collide(options: {
  readonly keys: readonly [Uint8Array, Uint8Array]
  readonly data: Uint8Array
  readonly body: Uint8Array
}): Uint8Array {
  const { keys, data, body } = options
  const base = Buffer.from(body)
  base.fill(0, base.byteLength - BLOCK_BYTES)
  // The free block is the last but the lengths, so it counts times h squared.
  const [h1, h2] = keys.map((key) => encryptBlock(key, Buffer.alloc(BLOCK_BYTES))) as [
    bigint,
    bigint
  ]
  const difference = tagOf(keys[0], data, base) ^ tagOf(keys[1], data, base)
  const factor = multiply(h1, h1) ^ multiply(h2, h2)
  toBytes(multiply(difference, inverse(factor))).copy(base, base.byteLength - BLOCK_BYTES)
  return Buffer.concat([base, toBytes(tagOf(keys[0], data, base))])
}
