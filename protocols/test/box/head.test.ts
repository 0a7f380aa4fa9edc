// Box chains, signed heads and delivery tokens: what a device believes of a relay, and what it does not.
import { box, ProtocolError } from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { checks, hmac, signer } from '../checks.ts'

const RELAY = signer(20)
const EPOCH = new Uint8Array(16).fill(5)
const bytesOf = (number: number, length = 32): Uint8Array => new Uint8Array(length).fill(number)

const HEADS: box.BoxHead[] = [1, 2, 3].map((number) => ({
  box: bytesOf(number),
  number: number * 10,
  chain: bytesOf(100 + number)
}))

function signedHead(
  index: number,
  changes: Partial<box.Commit> = {},
  by = RELAY
): Required<box.SignedHead> {
  const tree = box.merkleTree(HEADS.map(box.boxHeadLeaf), checks.sha256)
  const commit = box.Commit.encode({
    storeEpoch: EPOCH,
    sequence: 12,
    leafCount: HEADS.length,
    root: tree.root,
    committedAtMs: 1_700_000_000_000,
    ...changes
  })
  return {
    head: HEADS[index] as box.BoxHead,
    commit: { commit, signature: by.sign(box.commitToSign(commit)) },
    leafIndex: index,
    path: tree.path(index)
  }
}

const believed = (head: box.SignedHead, epoch: Uint8Array = EPOCH): boolean =>
  box.verifySignedHead(head, RELAY.publicKey, epoch, checks)

describe('the chain of a box', () => {
  test('depends on store epoch, account, number, id and everything before', () => {
    const start = box.chainStart(EPOCH, bytesOf(1), checks.sha256)
    const values = [
      start,
      box.chainStart(bytesOf(6, 16), bytesOf(1), checks.sha256),
      box.chainStart(EPOCH, bytesOf(2), checks.sha256),
      box.chainNext(start, 1, bytesOf(7), checks.sha256),
      box.chainNext(start, 2, bytesOf(7), checks.sha256),
      box.chainNext(start, 1, bytesOf(8), checks.sha256),
      box.chainNext(bytesOf(0), 1, bytesOf(7), checks.sha256)
    ].map((value) => value.join())
    expect(new Set(values).size).toBe(values.length)
  })

  test('takes numbers up to 2^53 - 1 and no others', () => {
    const next = (number: number): Uint8Array =>
      box.chainNext(bytesOf(0), number, bytesOf(1), checks.sha256)
    expect(next(Number.MAX_SAFE_INTEGER)).not.toEqual(next(Number.MAX_SAFE_INTEGER - 1))
    for (const number of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => next(number)).toThrowError(RangeError)
    }
  })
})

describe('a signed head', () => {
  test('is believed for each box of a commit, and tells the commit', () => {
    for (const index of HEADS.keys()) {
      expect(believed(signedHead(index))).toBe(true)
    }
    const commit = box.openSignedHead(signedHead(0), RELAY.publicKey, EPOCH, checks)
    expect(commit).toMatchObject({ sequence: 12, leafCount: 3 })
  })

  test('is believed after a way over the wire', () => {
    expect(believed(box.SignedHead.decode(box.SignedHead.encode(signedHead(1))))).toBe(true)
  })

  test('is not believed with another number, chain or box', () => {
    const signed = signedHead(1)
    for (const change of [{ number: 21 }, { chain: bytesOf(0) }, { box: bytesOf(1) }]) {
      expect(believed({ ...signed, head: { ...signed.head, ...change } })).toBe(false)
    }
  })

  test('is not believed with fields of a wrong length', () => {
    const signed = signedHead(1)
    for (const change of [{ chain: bytesOf(0, 31) }, { box: bytesOf(1, 33) }]) {
      expect(believed({ ...signed, head: { ...signed.head, ...change } })).toBe(false)
    }
    expect(() => box.boxHeadLeaf({ ...signed.head, box: bytesOf(1, 31) })).toThrowError(
      ProtocolError
    )
  })

  test('is not believed from another relay, unsigned, or under another label', () => {
    expect(believed(signedHead(0, {}, signer(21)))).toBe(false)
    const signed = signedHead(0)
    const { commit } = signed.commit
    for (const signature of [RELAY.sign(commit), new Uint8Array(64), new Uint8Array(0)]) {
      expect(believed({ ...signed, commit: { commit, signature } })).toBe(false)
    }
  })

  test('is not believed of another store epoch', () => {
    expect(believed(signedHead(0), bytesOf(6, 16))).toBe(false)
    expect(believed(signedHead(0, { storeEpoch: new Uint8Array(0) }))).toBe(false)
  })

  test('is not believed with a root or a count that the path does not lead to', () => {
    expect(believed(signedHead(0, { root: bytesOf(9) }))).toBe(false)
    expect(believed(signedHead(0, { root: new Uint8Array(0) }))).toBe(false)
    expect(believed(signedHead(2, { leafCount: 2 }))).toBe(false)
    expect(believed(signedHead(0, { leafCount: 0 }))).toBe(false)
  })

  test('is not believed when head or commit is absent, or the signed commit is no commit', () => {
    const { head, commit, ...rest } = signedHead(0)
    expect(believed({ ...rest, commit })).toBe(false)
    expect(believed({ ...rest, head })).toBe(false)
    for (const bytes of [Uint8Array.of(0x0a), new Uint8Array(2_000), new Uint8Array(0)]) {
      const signature = RELAY.sign(box.commitToSign(bytes))
      expect(believed({ ...rest, head, commit: { commit: bytes, signature } })).toBe(false)
    }
  })
})

test('a delivery token opens one box for one envelope under one secret', () => {
  const token = { secret: bytesOf(1), account: bytesOf(2), envelopeId: bytesOf(3) }
  const tokens = [
    token,
    { ...token, secret: bytesOf(9) },
    { ...token, account: bytesOf(9) },
    { ...token, envelopeId: bytesOf(9) },
    { ...token, account: bytesOf(3), envelopeId: bytesOf(2) }
  ].map((candidate) => box.deliveryToken(candidate, hmac))
  expect(new Set(tokens.map((bytes) => bytes.join())).size).toBe(tokens.length)
  expect(tokens[0]).toHaveLength(32)
})
