// Merkle trees as RFC 9162 has them, for any number of leaves, and proofs that prove nothing else.
import { box } from '@kith/protocols'
import fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { toString as toText } from 'uint8arrays/to-string'
import { describe, expect, test } from 'vitest'
import { checks } from '../checks.ts'

const { sha256 } = checks
const SEED = 20_261_121

/** Leaves and roots of the reference tests of Certificate Transparency (RFC 6962, the same tree). */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f'
].map((hex) => fromString(hex, 'hex'))
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'
]

/** RFC 9162 §2.1.1 word for word: split at the largest power of two below n. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) {
    return sha256()
  }
  if (leaves.length === 1) {
    return sha256(Uint8Array.of(0), first)
  }
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  const left = rootByDefinition(leaves.slice(0, k))
  return sha256(Uint8Array.of(1), left, rootByDefinition(leaves.slice(k)))
}

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => Uint8Array.of(index & 255, index >> 8))

describe('merkle trees', () => {
  test.each(ROOTS.map((root, count) => [count, root] as const))(
    'have the root of the reference for %i leaves',
    (count, root) => {
      expect(toText(box.merkleRoot(LEAVES.slice(0, count), sha256), 'hex')).toBe(root)
    }
  )

  test('have the root of the definition for any number of leaves', () => {
    for (let count = 0; count <= 70; count += 1) {
      expect(box.merkleRoot(leavesOf(count), sha256)).toEqual(rootByDefinition(leavesOf(count)))
    }
  })

  test('prove every leaf of every tree up to 40 leaves, and none at another place', () => {
    for (let count = 1; count <= 40; count += 1) {
      const leaves = leavesOf(count)
      const tree = box.merkleTree(leaves, sha256)
      for (const [index, leaf] of leaves.entries()) {
        const proof = { leaf, index, count, path: tree.path(index), root: tree.root }
        expect(box.merklePath(leaves, index, sha256)).toEqual(proof.path)
        expect(box.verifyMerklePath(proof, sha256), `${index} of ${count}`).toBe(true)
        for (let other = 0; other < count; other += 1) {
          const moved = { ...proof, index: other }
          expect(box.verifyMerklePath(moved, sha256)).toBe(other === index)
        }
      }
    }
  })

  test('refuse a proof that is bent in any way', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (count, where, bit) => {
        const leaves = leavesOf(count)
        const index = where % count
        const tree = box.merkleTree(leaves, sha256)
        const path = tree.path(index)
        const leaf = leaves[index] as Uint8Array
        const proof = { leaf, index, count, path, root: tree.root }
        const flip = (bytes: Uint8Array): Uint8Array => {
          const result = bytes.slice()
          const at = bit % result.byteLength
          result[at] = (result[at] as number) ^ (1 << (bit % 8))
          return result
        }
        const at = bit % path.length
        const bent: (typeof proof)[] = [
          { ...proof, leaf: flip(leaf) },
          { ...proof, root: flip(tree.root) },
          { ...proof, root: tree.root.subarray(1) },
          { ...proof, path: path.with(at, flip(path[at] as Uint8Array)) },
          { ...proof, path: path.with(at, (path[at] as Uint8Array).subarray(1)) },
          { ...proof, path: path.slice(1) },
          { ...proof, path: path.slice(0, -1) },
          { ...proof, path: [...path, tree.root] },
          { ...proof, path: [...path, ...Array.from({ length: 40 }, () => tree.root)] },
          { ...proof, index: count },
          { ...proof, index: -1 },
          { ...proof, index: index + 0.5 },
          { ...proof, count: 0 },
          { ...proof, count: Number.NaN },
          { ...proof, count: 2 ** 32 - 1 }
        ]
        for (const candidate of bent) {
          expect(box.verifyMerklePath(candidate, sha256)).toBe(false)
        }
      }),
      { seed: SEED, numRuns: 60 }
    )
  })

  test('do not take an inner node for a leaf', () => {
    const [a, b] = leavesOf(2) as [Uint8Array, Uint8Array]
    const hash = (leaf: Uint8Array): Uint8Array => sha256(Uint8Array.of(0), leaf)
    const forged = new Uint8Array([1, ...hash(a), ...hash(b)])
    const root = box.merkleRoot([a, b], sha256)
    const proof = { leaf: forged.subarray(1), index: 0, count: 1, path: [], root }
    expect(box.verifyMerklePath(proof, sha256)).toBe(false)
  })

  test('have no path for a leaf that is not there', () => {
    const tree = box.merkleTree(leavesOf(3), sha256)
    for (const index of [-1, 3, 1.5, Number.NaN]) {
      expect(() => tree.path(index)).toThrowError(RangeError)
    }
  })
})
