// The committed vectors against this implementation: a difference means that old peers are no longer understood.
import { readdirSync } from 'node:fs'
import {
  accountIdOf,
  box,
  type ContactLink,
  decodeBounded,
  formatContactLink,
  formatJoinLink,
  identity,
  type JoinLink,
  LABELS,
  linking,
  parseAccountId,
  parseContactLink,
  parseConversationId,
  parseDeviceId,
  parseJoinLink,
  parseMessageId,
  parseRelayId,
  relayIdOf,
  sequencer
} from '@kith/protocols'
import { describe, expect, test } from 'vitest'
import { checks, hmac } from './checks.ts'
import { allCodecs } from './codecs.ts'
import { readVectors } from './vectors.ts'

const MALFORMED = expect.objectContaining({ name: 'ProtocolError', code: 'malformed' })

interface MessageCase {
  readonly part: string
  readonly about: string
  readonly encoded: Uint8Array
  readonly value: object
}

describe.each(allCodecs())('$name', ({ name, codec, bytesMax }) => {
  const [file = '', part = file] = name.split(' ')
  const cases = readVectors<MessageCase[]>(file).filter((candidate) => candidate.part === part)

  test('has a full and an empty vector', () => {
    expect(cases.length).toBeGreaterThan(0)
    expect(cases.map(({ about }) => about)).toContain('no field')
  })

  test.each(cases)('reads and writes the vector with $about', ({ encoded, value }) => {
    expect(decodeBounded(codec, encoded, bytesMax)).toEqual(value)
    expect(new Uint8Array(codec.encode(value))).toEqual(encoded)
  })
})

test('no file of vectors is left over', () => {
  const files = readdirSync(new URL('./vectors', import.meta.url))
  const messages = new Set(allCodecs().map(({ name }) => `${name.split(' ')[0]}.json`))
  const computed = [
    'account-log',
    'box-chain',
    'delivery-token',
    'identifiers',
    'labels',
    'link-labels',
    'links',
    'merkle',
    'receipt-chain',
    'signed-head'
  ].map((name) => `${name}.json`)
  expect(files.toSorted()).toEqual([...messages, ...computed].toSorted())
})

test('labels are the ones of the vectors, and none is the beginning of another', () => {
  expect(
    Object.fromEntries(Object.entries(LABELS).map(([k, v]) => [k, new Uint8Array(v)]))
  ).toEqual(readVectors('labels'))
  expect(
    Object.fromEntries(Object.entries(linking.LINK_LABELS).map(([k, v]) => [k, new Uint8Array(v)]))
  ).toEqual(readVectors('link-labels'))
  const all = [...Object.values(LABELS), ...Object.values(linking.LINK_LABELS)]
  const texts = all.map((bytes) => bytes.join())
  for (const text of texts) {
    expect(texts.filter((other) => other.startsWith(text))).toHaveLength(1)
  }
})

describe('identifiers', () => {
  const { hashes, peers } = readVectors<{
    hashes: { valid: { bytes: Uint8Array; text: string }[]; invalid: string[] }
    peers: { valid: { publicKey: Uint8Array; text: string }[]; invalid: string[] }
  }>('identifiers')

  test.each(hashes.valid)('of hashes: $text', ({ bytes, text }) => {
    expect(accountIdOf(bytes)).toBe(text)
    expect(parseAccountId(text)).toBe(text)
  })

  test.each(hashes.invalid)('of hashes are refused: "%s"', (text) => {
    for (const parse of [parseAccountId, parseConversationId, parseMessageId]) {
      expect(() => parse(text)).toThrowError(MALFORMED)
    }
  })

  test.each(peers.valid)('of peers: $text', ({ publicKey, text }) => {
    expect(relayIdOf(publicKey)).toBe(text)
    expect(parseRelayId(text)).toBe(text)
  })

  test.each(peers.invalid)('of peers are refused: "%s"', (text) => {
    for (const parse of [parseDeviceId, parseRelayId]) {
      expect(() => parse(text)).toThrowError(MALFORMED)
    }
  })
})

describe('links', () => {
  interface Links<Link> {
    valid: { text: string; link: Link }[]
    invalid: { about: string; text: string }[]
  }
  const { contact, join } = readVectors<{ contact: Links<ContactLink>; join: Links<JoinLink> }>(
    'links'
  )

  test.each(contact.valid)('to a contact: $text', ({ text, link }) => {
    expect(parseContactLink(text)).toEqual(link)
    expect(formatContactLink(link)).toBe(text)
  })

  test.each(contact.invalid)('to a contact are refused with $about', ({ text }) => {
    expect(() => parseContactLink(text)).toThrowError(MALFORMED)
  })

  test.each(join.valid)('to a relay: $text', ({ text, link }) => {
    expect(parseJoinLink(text)).toEqual(link)
    expect(formatJoinLink(link)).toBe(text)
  })

  test.each(join.invalid)('to a relay are refused with $about', ({ text }) => {
    expect(() => parseJoinLink(text)).toThrowError(MALFORMED)
  })
})

test('the chain of a box goes through the values of the vector', () => {
  const vector = readVectors<{
    storeEpoch: Uint8Array
    account: Uint8Array
    start: Uint8Array
    steps: { number: number; envelopeId: Uint8Array; chain: Uint8Array }[]
  }>('box-chain')
  let value = box.chainStart(vector.storeEpoch, vector.account, checks.sha256)
  expect(value).toEqual(vector.start)
  for (const step of vector.steps) {
    value = box.chainNext(value, step.number, step.envelopeId, checks.sha256)
    expect(value).toEqual(step.chain)
  }
})

test('merkle trees have the roots and paths of the vectors', () => {
  const vectors =
    readVectors<{ leaves: Uint8Array[]; root: Uint8Array; paths: Uint8Array[][] }[]>('merkle')
  for (const { leaves, root, paths } of vectors) {
    const tree = box.merkleTree(leaves, checks.sha256)
    expect(tree.root).toEqual(root)
    expect(leaves.map((_, index) => tree.path(index))).toEqual(paths)
  }
})

test('the signed heads of the vector are believed', () => {
  const { relay, storeEpoch, signedHeads } = readVectors<{
    relay: Uint8Array
    storeEpoch: Uint8Array
    signedHeads: Uint8Array[]
  }>('signed-head')
  expect(signedHeads.length).toBeGreaterThan(0)
  for (const encoded of signedHeads) {
    const head = box.SignedHead.decode(encoded)
    expect(box.verifySignedHead(head, relay, storeEpoch, checks)).toBe(true)
  }
})

test('delivery tokens are those of the vectors', () => {
  const vectors =
    readVectors<
      { secret: Uint8Array; account: Uint8Array; envelopeId: Uint8Array; token: Uint8Array }[]
    >('delivery-token')
  expect(vectors.length).toBeGreaterThan(0)
  for (const { token, ...input } of vectors) {
    expect(box.deliveryToken(input, hmac)).toEqual(token)
  }
})

test('receipts are signed and chained as in the vectors', () => {
  const { relay, groupId, chain } = readVectors<{
    relay: Uint8Array
    groupId: Uint8Array
    chain: { receipt: Uint8Array; signature: Uint8Array; hash: Uint8Array }[]
  }>('receipt-chain')
  let parent: Uint8Array = new Uint8Array(0)
  for (const { receipt, signature, hash } of chain) {
    expect(checks.verify(relay, sequencer.receiptToSign(receipt), signature)).toBe(true)
    expect(checks.verify(relay, receipt, signature)).toBe(false)
    const fields = sequencer.Receipt.decode(receipt)
    expect(fields.parent).toEqual(parent)
    expect(fields.group).toEqual(checks.sha256(LABELS.sequencedGroup, groupId))
    expect(sequencer.receiptHash(receipt, checks.sha256)).toEqual(hash)
    parent = hash
  }
  expect(chain).toHaveLength(3)
})

describe('account logs', () => {
  const vector = readVectors<{
    valid: { operation: Uint8Array; state: identity.AccountState }[]
    invalid: { about: string; code: string; operations: Uint8Array[] }[]
  }>('account-log')
  const decode = (bytes: Uint8Array): identity.SignedOperation =>
    identity.SignedOperation.decode(bytes)

  test('fold to the state of the vector after each operation', () => {
    let state: identity.AccountState | undefined
    for (const step of vector.valid) {
      state = identity.foldAccountLog([decode(step.operation)], checks, state)
      expect(state).toEqual(step.state)
    }
  })

  test.each(vector.invalid)('are refused: $about', ({ code, operations }) => {
    expect(() => identity.foldAccountLog(operations.map(decode), checks)).toThrowError(
      expect.objectContaining({ name: 'ProtocolError', code })
    )
  })
})
