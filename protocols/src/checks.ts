// The cryptographic functions that pure code here needs, passed in by the caller so that this package
// contains none. The ports of @kith/node/kernel fit as they are.

/** 32 bytes, SHA-256 of the parts one after the other. */
export type Sha256 = (...parts: Uint8Array[]) => Uint8Array

/** 32 bytes, HMAC-SHA-256 of the parts one after the other. */
export type Hmac = (key: Uint8Array, ...parts: Uint8Array[]) => Uint8Array

/** Ed25519 (RFC 8032): 32-byte public key, 64-byte signature. False for anything that does not verify. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

export interface Checks {
  readonly sha256: Sha256
  readonly verify: Verify
}
