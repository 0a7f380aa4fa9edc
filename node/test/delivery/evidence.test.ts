// Two statements that a relay signed and that cannot both be true are kept; everything else is not held against it.
import { box, idBytes, LABELS, relayIdOf, sequencer } from '@kith/protocols'
import { concat } from 'uint8arrays/concat'
import { describe, expect, it } from 'vitest'
import { convicts } from '../../src/delivery/contradiction.ts'
import { type Evidence, EvidenceBook } from '../../src/delivery/evidence.ts'
import { nodePrimitives as primitives } from '../../src/kernel/primitives.node.ts'
import { openMemoryStore } from '../../src/kernel/store/memory.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { ALICE, bytes, STORE_EPOCH } from './machine-world.ts'

const keys = primitives.keyPair(bytes(32, 41))
const relay = relayIdOf(keys.publicKey)
const { sha256 } = primitives

const bookOf = () =>
  new EvidenceBook({ store: openMemoryStore(), primitives, clock: new FakeClock() })

/** A head of alice's box, alone in its commit, signed by the relay. */
function head(
  number: number,
  { chain = number, sequence = number, storeEpoch = STORE_EPOCH } = {}
): box.SignedHead {
  const boxHead = { box: idBytes(ALICE.account), number, chain: bytes(32, chain) }
  const root = box.merkleRoot([box.boxHeadLeaf(boxHead)], sha256)
  const commit = box.Commit.encode({ storeEpoch, sequence, leafCount: 1, root, committedAtMs: 1 })
  const signature = primitives.sign(keys.privateKey, box.commitToSign(commit))
  return { head: boxHead, commit: { commit, signature }, leafIndex: 0, path: [] }
}

function receipt(commit: number, { epoch = 3, signer = keys } = {}): Uint8Array {
  const encoded = sequencer.Receipt.encode({
    group: bytes(32, 1),
    epoch,
    parent: new Uint8Array(0),
    commit: bytes(32, commit),
    relay: keys.publicKey
  })
  const signature = primitives.sign(signer.privateKey, concat([LABELS.receipt, encoded]))
  return sequencer.SignedReceipt.encode({ receipt: encoded, signature })
}

describe('heads', () => {
  it.each<[string, box.SignedHead, box.SignedHead]>([
    ['of one number with two chains', head(5), head(5, { chain: 9, sequence: 6 })],
    ['that lead back', head(5), head(4, { sequence: 6 })],
    ['that lead on in an older commit', head(5), head(6, { sequence: 4 })]
  ])('%s are kept', async (_, one, other) => {
    const book = bookOf()
    expect(book.vouches(relay, one, STORE_EPOCH)).toBe(true)
    expect(book.vouches(relay, other, STORE_EPOCH)).toBe(true)
    const [kept, ...more] = await book.list()
    expect(more).toEqual([])
    expect(kept).toMatchObject({ relay, kind: 'heads' })
    expect(kept?.statements.map((bytes) => box.SignedHead.decode(bytes).head?.number)).toEqual([
      one.head?.number,
      other.head?.number
    ])
  })

  it('that follow each other, and one head twice, are not', async () => {
    const book = bookOf()
    for (const one of [head(5), head(5), head(6), head(9)]) book.vouches(relay, one, STORE_EPOCH)
    expect(await book.list()).toEqual([])
  })

  it('of two lives of a store are not', async () => {
    const book = bookOf()
    const storeEpoch = bytes(16, 77)
    book.vouches(relay, head(5), STORE_EPOCH)
    book.vouches(relay, head(1, { storeEpoch }), storeEpoch)
    expect(await book.list()).toEqual([])
  })

  it('that the relay did not sign prove nothing', async () => {
    const book = bookOf()
    const forged = head(5, { chain: 9 })
    book.vouches(relay, head(5), STORE_EPOCH)
    const commit = { commit: forged.commit?.commit ?? bytes(1, 0), signature: bytes(64, 0) }
    expect(book.vouches(relay, { ...forged, commit }, STORE_EPOCH)).toBe(false)
    expect(await book.list()).toEqual([])
  })

  it('are kept 64 times, the first ones', async () => {
    const book = bookOf()
    for (let index = 0; index < 80; index += 1) {
      book.vouches(relay, head(5, { chain: index + 1, sequence: index }), STORE_EPOCH)
    }
    const kept = await book.list()
    expect(kept).toHaveLength(64)
    expect(box.SignedHead.decode(kept[0]?.statements[0] as Uint8Array).head?.chain[0]).toBe(1)
  })
})

describe('receipts', () => {
  it('for two commits of one epoch are kept', async () => {
    const book = bookOf()
    expect(book.receipts(receipt(1), receipt(2))).toBe(true)
    expect(await book.list()).toMatchObject([
      { relay, kind: 'receipts', statements: [receipt(1), receipt(2)] }
    ])
  })

  it.each<[string, Uint8Array, Uint8Array]>([
    ['for one commit', receipt(1), receipt(1)],
    ['of two epochs', receipt(1), receipt(2, { epoch: 4 })],
    ['forged', receipt(1), receipt(2, { signer: primitives.keyPair(bytes(32, 42)) })],
    ['of garbage', receipt(1), bytes(40, 3)]
  ])('%s are not', async (_, one, other) => {
    const book = bookOf()
    expect(book.receipts(one, other)).toBe(false)
    expect(await book.list()).toEqual([])
  })
})

describe('what is kept', () => {
  async function kept(): Promise<readonly Evidence[]> {
    const book = bookOf()
    book.vouches(relay, head(5), STORE_EPOCH)
    book.vouches(relay, head(5, { chain: 9, sequence: 6 }), STORE_EPOCH)
    book.receipts(receipt(1), receipt(2))
    return await book.list()
  }

  it('convicts its relay before anybody, and no other relay', async () => {
    const list = await kept()
    expect(list.map(({ kind }) => kind)).toEqual(['heads', 'receipts'])
    const another = relayIdOf(primitives.keyPair(bytes(32, 42)).publicKey)
    for (const one of list) {
      expect(convicts(one, primitives)).toBe(true)
      expect(convicts({ ...one, relay: another }, primitives)).toBe(false)
    }
  })

  it('convicts nobody once what it says is changed, or one statement stands twice', async () => {
    for (const { statements, ...rest } of await kept()) {
      const [one, other] = statements
      const codec = rest.kind === 'heads' ? box.SignedHead : sequencer.SignedReceipt
      expect(convicts({ ...rest, statements: [one, one] }, primitives)).toBe(false)
      for (let index = 0; index < one.byteLength; index += 1) {
        const changed = new Uint8Array(one)
        changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8))
        // Some bits of the encoding say nothing: with those changed, it is the same statement.
        if (!convicts({ ...rest, statements: [changed, other] }, primitives)) continue
        expect(codec.decode(changed)).toEqual(codec.decode(one))
      }
    }
  })

  it('is told from bytes of anybody', () => {
    for (const kind of ['heads', 'receipts'] as const) {
      for (let length = 0; length < 300; length += 7) {
        const [one, other] = [bytes(length, 1), bytes(length, 2)]
        expect(convicts({ relay, kind, statements: [one, other] }, primitives)).toBe(false)
      }
    }
  })
})
