// The Merkle tree of RFC 9162 §2.1 over the box heads of one group commit: a relay signs one root, and shows
// each subscriber only the path to its own box.
import { equals } from 'uint8arrays/equals'
import type { Sha256 } from '../checks.ts'

const LEAF_PREFIX = Uint8Array.of(0)
const NODE_PREFIX = Uint8Array.of(1)

/** A path of 20 hashes covers a million boxes in one commit. */
export const MERKLE_PATH_MAX = 20
export const MERKLE_LEAVES_MAX = 2 ** MERKLE_PATH_MAX

export interface MerkleTree {
  /** 32 bytes */
  readonly root: Uint8Array
  /** Hashes (32 bytes) from beside the leaf up to below the root. Throws RangeError for an index outside. */
  path(index: number): Uint8Array[]
}

export interface MerkleProof {
  /** The leaf's data, not its hash. */
  readonly leaf: Uint8Array
  readonly index: number
  readonly count: number
  readonly path: readonly Uint8Array[]
  readonly root: Uint8Array
}

/**
 * All hashes of the tree once: n for n leaves of any size, then each path for nothing. The RFC splits at the
 * largest power of two below n; pairing level by level and passing an odd last node up gives the same tree.
 */
export function merkleTree(leaves: readonly Uint8Array[], sha256: Sha256): MerkleTree {
  let level = leaves.map((leaf) => sha256(LEAF_PREFIX, leaf))
  const levels = [level]
  while (level.length > 1) {
    level = parents(level, sha256)
    levels.push(level)
  }
  return {
    root: level[0] ?? sha256(),
    path: (index) => pathThrough(levels, index)
  }
}

function parents(level: readonly Uint8Array[], sha256: Sha256): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let index = 0; index < level.length; index += 2) {
    const left = level[index] as Uint8Array
    const right = level[index + 1]
    above.push(right === undefined ? left : sha256(NODE_PREFIX, left, right))
  }
  return above
}

function pathThrough(levels: readonly (readonly Uint8Array[])[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= (levels[0]?.length ?? 0)) {
    throw new RangeError(`no leaf ${index}`)
  }
  const path: Uint8Array[] = []
  let position = index
  for (const level of levels.slice(0, -1)) {
    const sibling = level[position ^ 1]
    if (sibling !== undefined) {
      path.push(sibling)
    }
    position >>>= 1
  }
  return path
}

/** 32 bytes, RFC 9162 §2.1.1; of no leaves at all, the hash of nothing. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  return merkleTree(leaves, sha256).root
}

/** RFC 9162 §2.1.3.1. For more than one path of a tree, build the tree once. */
export function merklePath(
  leaves: readonly Uint8Array[],
  index: number,
  sha256: Sha256
): Uint8Array[] {
  return merkleTree(leaves, sha256).path(index)
}

/** RFC 9162 §2.1.3.2. False for anything that does not prove the leaf at that index of a tree of `count`. */
export function verifyMerklePath(proof: MerkleProof, sha256: Sha256): boolean {
  const { leaf, index, count, path, root } = proof
  if (!isIndexOf(index, count) || path.length > MERKLE_PATH_MAX) {
    return false
  }
  let position = index
  let last = count - 1
  let hash = sha256(LEAF_PREFIX, leaf)
  for (const sibling of path) {
    if (last === 0 || sibling.byteLength !== 32) {
      return false
    }
    if (position % 2 === 1 || position === last) {
      hash = sha256(NODE_PREFIX, sibling, hash)
      while (position % 2 === 0 && position !== 0) {
        position >>>= 1
        last >>>= 1
      }
    } else {
      hash = sha256(NODE_PREFIX, hash, sibling)
    }
    position >>>= 1
    last >>>= 1
  }
  return last === 0 && equals(hash, root)
}

function isIndexOf(index: number, count: number): boolean {
  return (
    Number.isInteger(index) &&
    Number.isInteger(count) &&
    index >= 0 &&
    index < count &&
    count <= MERKLE_LEAVES_MAX
  )
}
