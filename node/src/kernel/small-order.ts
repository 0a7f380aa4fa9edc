// Ed25519 public keys of small order: points under which a signature can be made that holds for any message,
// so that such a key proves nothing about who signed. The list is libsodium's (ge25519_has_small_order).

/** The y coordinates, little-endian, top bit (the sign of x) clear; the last two encode 0 and 1 again. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
].map((text) => Uint8Array.from(text.match(/../g) as string[], (byte) => Number.parseInt(byte, 16)))

const LAST = 31
const SIGN_CLEAR = 0x7f

/** True for 32 bytes that encode, with either sign and canonically or not, a point of order 1, 2, 4 or 8. */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  return SMALL_ORDER.some((point) =>
    point.every((byte, index) =>
      index === LAST
        ? byte === ((publicKey[index] as number) & SIGN_CLEAR)
        : byte === publicKey[index]
    )
  )
}
