// The cryptographic primitives everything else is built from, as a port: Node's own here, WebCrypto in a
// browser, symbolic ones in the simulator. No primitive of our own.

export interface KeyPair {
  /** 32 bytes, Ed25519 public key */
  readonly publicKey: Uint8Array
  /** 32 bytes, Ed25519 seed */
  readonly privateKey: Uint8Array
}

export interface Primitives {
  /** 32 bytes, SHA-256. Synchronous: pure code needs it. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** 32 bytes, HMAC-SHA-256. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** HKDF-SHA-256 (RFC 5869) extract and expand. */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** AES-256-GCM; returns ciphertext with the 16-byte tag behind it. `nonce` is 12 bytes. */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, data: Uint8Array): Uint8Array
  /** Opposite of `seal`; undefined when key, nonce, data or ciphertext do not belong together. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    data: Uint8Array
  ): Uint8Array | undefined
  /** Ed25519 key pair from a 32-byte seed. */
  keyPair(seed: Uint8Array): KeyPair
  /** 64 bytes, Ed25519 (RFC 8032). */
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** 32 bytes, X25519 public key (RFC 7748) of a 32-byte private key. */
  agreementKey(privateKey: Uint8Array): Uint8Array
  /** 32 bytes that both sides of an X25519 agreement get; undefined for a public key that fixes the outcome. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /** Constant-time comparison; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean
  /** 32 bytes, Argon2id (RFC 9106), 64 MiB, 3 passes, 1 lane. */
  argon2id(passphrase: Uint8Array, salt: Uint8Array): Promise<Uint8Array>
}
