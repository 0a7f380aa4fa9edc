// Signed heads: what lets a device say "I hold everything this relay has for me". A relay signs once per group
// commit; a box's head is proven to be among those signed by a Merkle path. See README.md.
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { decodeBounded, requireBytes } from '../bounded.ts'
import { uint64Bytes } from '../bytes.ts'
import type { Checks } from '../checks.ts'
import { ProtocolError } from '../errors.ts'
import { HASH_BYTES, SIGNATURE_BYTES } from '../identifiers.ts'
import { LABELS } from '../labels.ts'
import { KIB } from '../units.ts'
import { verifyMerklePath } from './merkle.ts'
import { type BoxHead, Commit, type SignedHead } from './pb/box.ts'

/** 128 random bits: two epochs of one relay never meet. */
export const STORE_EPOCH_BYTES = 16
/** An encoded commit has about 70 bytes; the rest is for fields to come. */
export const COMMIT_BYTES_MAX = KIB

/**
 * The data of a box's Merkle leaf: label, box (32 bytes), number (8, big-endian), chain (32). The leaf prefix
 * and its hash are the tree's. Throws ProtocolError `malformed` for wrong lengths.
 */
export function boxHeadLeaf(head: BoxHead): Uint8Array {
  return concat([
    LABELS.boxHead,
    requireBytes(head.box, HASH_BYTES, 'a box'),
    uint64Bytes(head.number),
    requireBytes(head.chain, HASH_BYTES, 'a chain value')
  ])
}

/** What a relay signs for an encoded Commit. */
export function commitToSign(commit: Uint8Array): Uint8Array {
  return concat([LABELS.boxCommit, commit])
}

/**
 * The commit under which this relay vouches for exactly this head in this store epoch; undefined when anything
 * is missing, malformed, unsigned, of another epoch or not proven. `relayPublicKey`: 32 bytes, Ed25519.
 */
export function openSignedHead(
  signed: SignedHead,
  relayPublicKey: Uint8Array,
  storeEpoch: Uint8Array,
  checks: Checks
): Commit | undefined {
  const { head, commit: commitHead } = signed
  if (head === undefined || commitHead === undefined) {
    return undefined
  }
  const message = commitToSign(commitHead.commit)
  if (
    commitHead.signature.byteLength !== SIGNATURE_BYTES ||
    !checks.verify(relayPublicKey, message, commitHead.signature)
  ) {
    return undefined
  }
  try {
    const commit = decodeBounded(Commit, commitHead.commit, COMMIT_BYTES_MAX)
    const proven = verifyMerklePath(
      {
        leaf: boxHeadLeaf(head),
        index: signed.leafIndex,
        count: commit.leafCount,
        path: signed.path,
        root: commit.root
      },
      checks.sha256
    )
    return proven && equals(commit.storeEpoch, storeEpoch) ? commit : undefined
  } catch (error) {
    if (error instanceof ProtocolError) {
      return undefined
    }
    throw error
  }
}

/** Whether `openSignedHead` finds the head vouched for. */
export function verifySignedHead(
  signed: SignedHead,
  relayPublicKey: Uint8Array,
  storeEpoch: Uint8Array,
  checks: Checks
): boolean {
  return openSignedHead(signed, relayPublicKey, storeEpoch, checks) !== undefined
}
