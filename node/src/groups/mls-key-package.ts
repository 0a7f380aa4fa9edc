// Key packages: how a device can be added to a group while it sleeps (RFC 9420 §10). Made here, and checked here
// before anybody is added by one.

import { publicKeyOf } from '@kith/protocols'
import {
  type CiphersuiteImpl,
  defaultLifetime,
  type Extension,
  generateKeyPackageWithKey,
  type KeyPackage
} from 'ts-mls'
import { makeKeyPackageRef, verifyKeyPackage } from 'ts-mls/keyPackage.js'
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js'
import { equals } from 'uint8arrays/equals'
import {
  type CertificateCheck,
  GroupCryptoError,
  type KeyPackagePair,
  type LocalDevice
} from './group-crypto.ts'
import { encodeKeyPackage, encodeSecret, type KeyPackageSecret } from './mls-codec.ts'
import { CAPABILITIES, credentialOf, isCertified, memberOf } from './mls-credential.ts'
import { GROUP_EXTENSION } from './mls-group-facts.ts'

/** Extension type `last_resort` (draft-ietf-mls-extensions, registered as 0x000a), without data. */
const LAST_RESORT_EXTENSION = 0x000a
const X25519_KEY_BYTES = 32

/**
 * A fresh key package of the device, not yet encoded. Its lifetime is all of time: what ends a key package is
 * its use or its device's removal from the account's log, and a device whose clock is wrong must stay reachable.
 */
export function generateKeyPackage(
  device: LocalDevice,
  { suite, lastResort }: { suite: CiphersuiteImpl; lastResort: boolean }
): Promise<KeyPackageSecret> {
  const extensions: Extension[] = lastResort
    ? [{ extensionType: LAST_RESORT_EXTENSION, extensionData: new Uint8Array(0) }]
    : []
  const signatureKeys = { signKey: device.privateKey, publicKey: publicKeyOf(device.device) }
  return generateKeyPackageWithKey(
    credentialOf(device),
    CAPABILITIES,
    defaultLifetime,
    extensions,
    signatureKeys,
    suite
  ).then(({ publicPackage, privatePackage }) => ({ keyPackage: publicPackage, privatePackage }))
}

/** The two halves as bytes, with the reference (RFC 9420 §5.2) that a welcome names. */
export async function encodePair(
  secret: KeyPackageSecret,
  suite: CiphersuiteImpl
): Promise<KeyPackagePair> {
  return {
    keyPackage: encodeKeyPackage(secret.keyPackage),
    secret: encodeSecret(secret),
    reference: await makeKeyPackageRef(secret.keyPackage, suite.hash)
  }
}

/**
 * Throws unless both signatures hold and the leaf is certified and fit for our groups. The library checks most
 * of this again when the key package is added; here it is refused before a group is touched.
 * @throws GroupCryptoError `malformed` or `uncertified`
 */
export async function requireKeyPackage(
  keyPackage: KeyPackage,
  { suite, certified }: { suite: CiphersuiteImpl; certified: CertificateCheck }
): Promise<void> {
  const { leafNode, initKey } = keyPackage
  memberOf(leafNode)
  const fits =
    keyPackage.version === 'mls10' &&
    keyPackage.cipherSuite === suite.name &&
    leafNode.capabilities.extensions.includes(GROUP_EXTENSION) &&
    leafNode.capabilities.credentials.includes('basic') &&
    leafNode.extensions.length === 0 &&
    initKey.byteLength === X25519_KEY_BYTES &&
    leafNode.hpkePublicKey.byteLength === X25519_KEY_BYTES &&
    !equals(initKey, leafNode.hpkePublicKey)
  if (!fits) throw new GroupCryptoError('malformed', 'a key package unfit for our groups')
  const isSigned =
    (await verifyLeafNodeSignatureKeyPackage(leafNode, suite.signature)) &&
    (await verifyKeyPackage(keyPackage, suite.signature))
  if (!isSigned) throw new GroupCryptoError('malformed', 'a key package with a wrong signature')
  if (!isCertified(leafNode, certified)) {
    throw new GroupCryptoError('uncertified', 'a key package of an uncertified device')
  }
}
