// Node's primitives against published vectors, and against what a peer may send in place of a key or signature.
import { argon2Sync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { isSmallOrder } from '../../src/kernel/small-order.ts'
import { createNoise } from '../noise.ts'

const from = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')
const ascii = (text: string) => new TextEncoder().encode(text)

/** RFC 8032 §7.1, tests 1 to 3. */
const ED25519 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
  ]
] as const

/** Encodings of the points of small order, canonical and not, each also with the other sign. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

describe('Ed25519', () => {
  test.each(ED25519)('agrees with RFC 8032 for seed %s', (seed, publicKey, message, signature) => {
    expect(hex(primitives.keyPair(from(seed)).publicKey)).toBe(publicKey)
    expect(hex(primitives.sign(from(seed), from(message)))).toBe(signature)
    expect(primitives.verify(from(publicKey), from(message), from(signature))).toBe(true)
  })

  test('refuses another message, key or signature', () => {
    const [seed, publicKey, , signature] = ED25519[1]
    expect(primitives.verify(from(publicKey), from('73'), from(signature))).toBe(false)
    expect(primitives.verify(from(ED25519[0][1]), from('72'), from(signature))).toBe(false)
    const changed = from(signature)
    changed[40] = (changed[40] as number) ^ 1
    expect(primitives.verify(from(publicKey), from('72'), changed)).toBe(false)
    expect(() => primitives.sign(from(seed).slice(1), from('72'))).toThrow(RangeError)
  })

  test('refuses a signature made longer by the group order', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const [, publicKey, message, signature] = ED25519[2]
    const changed = from(signature)
    const littleEndian = Buffer.from(changed.subarray(32)).reverse().toString('hex')
    const larger = (BigInt(`0x${littleEndian}`) + order).toString(16).padStart(64, '0')
    changed.set(Buffer.from(larger, 'hex').reverse(), 32)
    expect(primitives.verify(from(publicKey), from(message), changed)).toBe(false)
  })

  test.each(SMALL_ORDER)('refuses the key %s, of small order', (text) => {
    const zeros = new Uint8Array(32)
    for (const sign of [0, 0x80]) {
      const key = from(text)
      key[31] = (key[31] as number) | sign
      for (const point of SMALL_ORDER) {
        const signature = Buffer.concat([from(point), zeros])
        for (const message of ['', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map(ascii)) {
          expect(primitives.verify(key, message, signature)).toBe(false)
        }
      }
    }
  })

  test('knows small order by itself, whatever OpenSSL thinks of it', () => {
    for (const text of SMALL_ORDER) {
      const key = from(text)
      expect(isSmallOrder(key)).toBe(true)
      key[31] = (key[31] as number) | 0x80
      expect(isSmallOrder(key)).toBe(true)
      key[15] = (key[15] as number) ^ 1
      expect(isSmallOrder(key)).toBe(false)
    }
    for (const [, publicKey] of ED25519) expect(isSmallOrder(from(publicKey))).toBe(false)
  })

  test('answers false, never throws, for noise in place of keys and signatures', () => {
    const { seed, below } = createNoise()
    for (let round = 0; round < 2_000; round += 1) {
      const key = Uint8Array.from({ length: round % 9 === 0 ? below(64) : 32 }, () => below(256))
      const signature = Uint8Array.from({ length: round % 7 === 0 ? below(99) : 64 }, () =>
        below(256)
      )
      const verified = primitives.verify(key, ascii('message'), signature)
      expect(verified, `seed ${seed}, round ${round}`).toBe(false)
    }
  })

  test('still verifies for a key after hundreds of others', () => {
    const [, publicKey, message, signature] = ED25519[2]
    for (let index = 0; index < 600; index += 1) {
      const seed = new Uint8Array(32)
      new DataView(seed.buffer).setUint32(0, index)
      const pair = primitives.keyPair(seed)
      expect(primitives.verify(pair.publicKey, seed, primitives.sign(seed, seed))).toBe(true)
    }
    expect(primitives.verify(from(publicKey), from(message), from(signature))).toBe(true)
  })

  test('keeps its keys when the bytes they came from change', () => {
    const seed = from(ED25519[0][0])
    const { publicKey } = primitives.keyPair(seed)
    const signature = primitives.sign(seed, ascii('x'))
    const key = publicKey.slice()
    expect(primitives.verify(key, ascii('x'), signature)).toBe(true)
    key.fill(1)
    expect(primitives.verify(publicKey, ascii('x'), signature)).toBe(true)
    expect(primitives.verify(key, ascii('x'), signature)).toBe(false)
  })
})

describe('AES-256-GCM', () => {
  test('agrees with test case 16 of its specification', () => {
    const sealed = primitives.seal(
      from('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
      from('cafebabefacedbaddecaf888'),
      from(
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
      ),
      from('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    )
    expect(hex(sealed)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b'
    )
  })

  test('opens what belongs together and nothing else', () => {
    const [key, nonce, data] = [new Uint8Array(32).fill(1), new Uint8Array(12), ascii('data')]
    for (const length of [0, 1, 15, 16, 17, 1000]) {
      const plaintext = new Uint8Array(length).fill(7)
      const sealed = primitives.seal(key, nonce, plaintext, data)
      expect(sealed.byteLength).toBe(length + 16)
      expect(primitives.open(key, nonce, sealed, data)).toEqual(plaintext)
      expect(primitives.open(key, nonce, sealed, ascii('other'))).toBeUndefined()
      expect(primitives.open(new Uint8Array(32), nonce, sealed, data)).toBeUndefined()
      expect(primitives.open(key, new Uint8Array(12).fill(1), sealed, data)).toBeUndefined()
      expect(primitives.open(key, nonce, sealed.slice(1), data)).toBeUndefined()
    }
    for (let length = 0; length < 16; length += 1) {
      expect(primitives.open(key, nonce, new Uint8Array(length), data)).toBeUndefined()
    }
  })

  test('throws for keys and nonces of a wrong length: those are never a peer’s', () => {
    const [key, nonce, none] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
    expect(() => primitives.seal(key.slice(1), nonce, none, none)).toThrow(RangeError)
    expect(() => primitives.seal(key, new Uint8Array(16), none, none)).toThrow(RangeError)
    expect(() => primitives.open(new Uint8Array(16), nonce, new Uint8Array(20), none)).toThrow(
      RangeError
    )
  })
})

describe('hashes and derivations', () => {
  test('SHA-256 and HMAC take their input in any number of parts', () => {
    expect(hex(primitives.sha256(ascii('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    )
    expect(primitives.sha256(ascii('a'), ascii(''), ascii('bc'))).toEqual(
      primitives.sha256(ascii('abc'))
    )
    // RFC 4231, test case 2.
    const mac = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    expect(hex(primitives.hmac(ascii('Jefe'), ascii('what do ya want for nothing?')))).toBe(mac)
    expect(
      hex(primitives.hmac(ascii('Jefe'), ascii('what do ya '), ascii('want for nothing?')))
    ).toBe(mac)
  })

  test('HKDF agrees with RFC 5869, test cases 1 and 3', () => {
    const secret = new Uint8Array(22).fill(0x0b)
    expect(
      hex(
        primitives.hkdf(
          secret,
          from('000102030405060708090a0b0c'),
          from('f0f1f2f3f4f5f6f7f8f9'),
          42
        )
      )
    ).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
    expect(hex(primitives.hkdf(secret, new Uint8Array(0), new Uint8Array(0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'
    )
  })

  test('Argon2id runs at 64 MiB, 3 passes and 1 lane, and wants a salt', async () => {
    const [passphrase, salt] = [ascii('correct horse'), new Uint8Array(16).fill(1)]
    const expected = argon2Sync('argon2id', {
      message: passphrase,
      nonce: salt,
      parallelism: 1,
      tagLength: 32,
      memory: 65_536,
      passes: 3
    })
    expect(hex(await primitives.argon2id(passphrase, salt))).toBe(hex(expected))
    expect(() => primitives.argon2id(passphrase, salt.slice(1))).toThrow(RangeError)
  })

  test('comparison knows length and content', () => {
    expect(primitives.equal(ascii('abc'), ascii('abc'))).toBe(true)
    expect(primitives.equal(ascii('abc'), ascii('abd'))).toBe(false)
    expect(primitives.equal(ascii('abc'), ascii('abcd'))).toBe(false)
    expect(primitives.equal(ascii(''), ascii(''))).toBe(true)
  })
})

describe('X25519', () => {
  const key = (byte: number) => new Uint8Array(32).fill(byte)

  test('both sides get the same secret', () => {
    const [a, b] = [key(17), key(99)]
    const shared = primitives.agree(a, primitives.agreementKey(b))
    expect(shared?.byteLength).toBe(32)
    expect(shared).toEqual(primitives.agree(b, primitives.agreementKey(a)))
  })

  test('the base point is the one of RFC 7748', () => {
    // RFC 7748 §5.2: one iteration of the function on the number 9.
    const nine = from(`09${'00'.repeat(31)}`)
    const expected = '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'
    expect(hex(primitives.agree(nine, nine))).toBe(expected)
    expect(hex(primitives.agreementKey(nine))).toBe(expected)
  })

  test('a key of small order or of a wrong length agrees with nobody', () => {
    const own = key(17)
    expect(primitives.agree(own, from('00'.repeat(32)))).toBeUndefined()
    expect(primitives.agree(own, from(`01${'00'.repeat(31)}`))).toBeUndefined()
    expect(primitives.agree(own, new Uint8Array(31))).toBeUndefined()
  })
})
