// The certificate inside an MLS leaf: which device of which account the leaf is. The leaf's signature key is the
// device's own key, so the certificate only has to name the account; the account's log proves the rest.
import {
  accountIdOf,
  deviceIdOf,
  HASH_BYTES,
  idBytes,
  PUBLIC_KEY_BYTES,
  publicKeyOf
} from '@kith/protocols'
import type { Capabilities, Credential, LeafNode } from 'ts-mls'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { type CertificateCheck, GroupCryptoError, type Member } from './group-crypto.ts'
import { GROUP_EXTENSION } from './mls-group-facts.ts'
import { SUITE_NAME } from './mls-suite.ts'

const VERSION = 1
const CERTIFICATE_BYTES = 1 + HASH_BYTES + PUBLIC_KEY_BYTES

/** What every leaf declares: this version, this suite, certificates like these, and the group extension. */
export const CAPABILITIES: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [SUITE_NAME],
  extensions: [GROUP_EXTENSION],
  proposals: [],
  credentials: ['basic']
}

/** version ‖ account (32 bytes) ‖ device (32 bytes), as the identity of a basic credential (RFC 9420 §5.3). */
export function credentialOf({ account, device }: Member): Credential {
  return {
    credentialType: 'basic',
    identity: concat([Uint8Array.of(VERSION), idBytes(account), publicKeyOf(device)])
  }
}

/** The member a credential names; undefined unless it is a certificate for exactly this signature key. */
function memberOfCredential(credential: Credential, signatureKey: Uint8Array): Member | undefined {
  if (credential.credentialType !== 'basic') return undefined
  const { identity } = credential
  if (identity.byteLength !== CERTIFICATE_BYTES || identity[0] !== VERSION) return undefined
  const device = identity.subarray(1 + HASH_BYTES)
  if (!equals(device, signatureKey)) return undefined
  return { account: accountIdOf(identity.subarray(1, 1 + HASH_BYTES)), device: deviceIdOf(device) }
}

/**
 * The member a leaf stands for.
 * @throws GroupCryptoError `malformed` when the leaf carries no certificate for its own key
 */
export function memberOf(leaf: Pick<LeafNode, 'credential' | 'signaturePublicKey'>): Member {
  const member = memberOfCredential(leaf.credential, leaf.signaturePublicKey)
  if (member === undefined) {
    throw new GroupCryptoError('malformed', 'a leaf without a certificate for its key')
  }
  return member
}

/** Says whether a credential is a certificate for this key that the account's log confirms. */
export function isCertified(
  leaf: { credential: Credential; signaturePublicKey: Uint8Array },
  certified: CertificateCheck
): boolean {
  const member = memberOfCredential(leaf.credential, leaf.signaturePublicKey)
  return member !== undefined && certified(member)
}
